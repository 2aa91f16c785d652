"""From a database as people receive it to one clean table of crops."""
