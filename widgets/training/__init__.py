"""Finding a learning rate, training and watching it."""
