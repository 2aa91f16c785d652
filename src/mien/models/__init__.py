"""The networks, in torch. Knows nothing of pictures and training.

zoo        every network by name: one short builder each, and MODELS, which lists them
network    the shape they share, and its class maps in closed form for export
blocks     convolution, squeeze-excitation and residual blocks
randomize  the weights of trained layers replaced by fresh ones, from the last layer on
"""
