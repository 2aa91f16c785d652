"""Damaged files through the public doors of mien, and what long use leaves behind.

Run: python -m fuzz [KIND ...] [--inputs N] [--minutes M] [--seed S]; `make fuzz MINUTES=10`
Input number i of a kind and a seed is the same at every run and on every machine with the same
packages. What fails is kept, minimised, in fuzz/found/; counts go to results/fuzz.json. What was
found and mended lives on in tests/corpus/.

kinds      KINDS: for each kind of input its seeds, its door and its mutation
seeds      small free files, made on the spot
doors      the functions and commands that take a file, used as a user uses them
mutate     changes of bytes, of text, of the members of an archive
layout     where the fields of a header are; checksums and seals made right again
child      the process that tries inputs, and may die of them
campaign   starts, watches and restarts children; counts, keeps and minimises what they find
soak       100,000 frames, 20,000 pictures, abandoned videos, recognizers: what is left behind
ranges     both ends of every range of a dependency, each in an environment of its own
release    the wheel and the sdist as they would be uploaded, on every Python
smoke      what has to work in each of these environments
"""
