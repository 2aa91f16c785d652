"""How good a model is, and whether its maps are true. Needs no torch.

metrics       formulas on arrays: confusion, recalls, intervals, paired tests
calibration   formulas on arrays: calibration error, temperature, coverage
learned       whether a model may have learned the pictures that it is measured on
accuracy      a model and a prepared folder -> one record of figures
report        the HTML page of such a record
maps          the maps under test: a model's by every method, and controls that know nothing of it
faithfulness  insertion, deletion, ROAD and drop: does the score follow the map?
sanity        noise and randomized weights: does the map follow the network?
explanations  methods beside controls, with paired tests, as one record
evidence      where the evidence lies, beside the action units that theory expects
"""
