"""What several test modules need."""
from dataclasses import asdict

import pytest
import torch

from kws_train.features import FeatureConfig


@pytest.fixture
def checkpoint():
    """Writes a Net of the default features to a path, as `train` does."""
    return lambda net, path: torch.save({"network": net.network, "average": net.state_dict(), "embedder": {},
                                         "features": asdict(FeatureConfig())}, path)
