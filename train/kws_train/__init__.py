"""Training side of kwsd: features, the PyTorch twin of model/, training, export and golden tensors."""
