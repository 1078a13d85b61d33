"""Models that mmcore has trained, with NumPy arrays in and out: ctypes over libmmcore, nothing to compile.

    import mmcore
    model = mmcore.Model("runs/demo")
    samples = model.sample(4)                      # {"m0": array (4, 28, 28, 3), ...}
    made = model.translate({"m0": samples["m0"]})  # the others
    model.score(samples)                           # energies, (4,): the lower, the better the parts fit

README.md has the rest on one screen.
"""

from ._library import Cancelled, Error, version
from ._model import Encoded, Modality, Model

__all__ = ["Cancelled", "Encoded", "Error", "Modality", "Model", "version"]
