"""Models: dictionaries of arrays, one a modality, in and out."""

import ctypes
import os
from typing import NamedTuple

import numpy as np

from . import _library as c
from ._library import call


class Modality(NamedTuple):
    """One modality of a model; arrays of n samples have the shape (n, *shape)."""

    name: str
    shape: tuple
    plugin: str
    version: str
    kind: str
    file_suffix: str
    support: str
    likelihood: str
    lo: float
    hi: float
    n_classes: int
    reads_files: bool
    reads_text: bool
    draws: bool


class Encoded(NamedTuple):
    """What encoders tell: arrays (n, latent_dim) and (n, private_dim) by the names of modalities."""

    z_mean: dict
    z_scale: dict
    w_mean: dict
    w_scale: dict


def _texts(values):
    return (c.c_char_p * len(values))(*[os.fsencode(v) for v in values])


class Model:
    """A trained model: a checkpoint's or a run folder's path, or a checkpoint's bytes.

    threads 0: all processors. plugin_path: folders to look for plugins in first. plugins: "[NAME=]FILE", settings:
    "SECTION.KEY=VALUE", as the program's --plugin and --set. log(level, text) is told warnings and what plugins say.
    Calls on one model wait for each other; other threads of Python go on meanwhile.
    """

    def __init__(self, checkpoint, *, threads=0, device=None, plugin_path=None, plugins=(), settings=(), log=None):
        self._model = None
        o = c.OpenOptions(threads=threads)
        o.device = device.encode() if device else None
        o.plugin_path = os.fsencode(plugin_path) if plugin_path else None
        o.plugins, o.n_plugins = _texts(plugins), len(plugins)
        o.settings, o.n_settings = _texts(settings), len(settings)
        self._log = c.Log(lambda _, level, text: log(level, text.decode(errors="replace"))) if log else c.Log()
        o.log = self._log
        made = ctypes.c_void_p()
        if isinstance(checkpoint, (bytes, bytearray, memoryview)):
            data = bytes(checkpoint)
            call("mm_model_open_memory", data, len(data), None, ctypes.byref(o), ctypes.byref(made))
        else:
            call("mm_model_open", os.fsencode(checkpoint), ctypes.byref(o), ctypes.byref(made))
        self._model = made
        self._about = c.About()
        call("mm_model_describe", made, ctypes.byref(self._about))
        self.modalities = {m.name: m for m in map(self._modality, range(self._about.n_modalities))}
        self._index = {name: i for i, name in enumerate(self.modalities)}

    def _modality(self, i):
        a = c.ModalityAbout()
        call("mm_model_modality", self._model, i, ctypes.byref(a))
        self._picture = getattr(self, "_picture", {})
        self._picture[a.name.decode()] = (a.picture_height, a.picture_width, 3)
        return Modality(a.name.decode(), tuple(a.dim[:a.rank]), a.plugin.decode(), a.version.decode(), a.kind.decode(),
                        a.file_suffix.decode(), a.support.decode(), a.likelihood.decode(), a.lo, a.hi, a.n_classes,
                        bool(a.can & c.CAN_READ_FILES), bool(a.can & c.CAN_READ_TEXT), bool(a.can & c.CAN_DRAW))

    # ---------------------------------------------------------------- life

    def close(self):
        if self._model:
            c.library.mm_model_close(self._model)
            self._model = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        self.close()

    def __repr__(self):
        return f"<mmcore.Model of {', '.join(f'{m.name} {m.shape}' for m in self.modalities.values())}>"

    # ---------------------------------------------------------------- what it holds

    latent_dim = property(lambda self: self._about.latent_dim)
    private_dim = property(lambda self: self._about.private_dim)
    has_energy = property(lambda self: bool(self._about.has_energy))
    iteration = property(lambda self: self._about.iteration)

    @property
    def metadata(self):
        """What the checkpoint says about itself: settings, version, build, plugins, ..."""
        found, i = {}, 0
        while (key := c.library.mm_model_meta_key(self._need(), i)) is not None:
            found[key.decode()] = c.library.mm_model_meta(self._model, key).decode(errors="replace")
            i += 1
        return found

    # ---------------------------------------------------------------- arguments

    def _need(self):
        if not self._model:
            raise ValueError("the model is closed")
        return self._model

    def _options(self, progress=None, expert=None, **members):
        o = c.Options(draws=1, expert=-1, z_steps=-1, candidates=-1, guide_steps=-1, x_steps=-1)
        for name, value in members.items():
            if value is not None:
                setattr(o, name, value)
        if expert is not None:
            o.expert = self._at(expert)
        if progress:
            o.progress = c.Progress(lambda _, done, total: bool(progress(done, total)))
        return o

    def _at(self, name):
        if name not in self._index:
            raise KeyError(f"the model has no modality {name!r}; it has {', '.join(self._index)}")
        return self._index[name]

    def _given(self, arrays):
        """Samples by name as contiguous float32 (n, *shape); one sample may come without its n."""
        taken, n = {}, None
        for name, values in arrays.items():
            self._at(name)
            shape = self.modalities[name].shape
            x = np.ascontiguousarray(values, np.float32)
            if x.shape == shape:
                x = x[None]
            if x.shape[1:] != shape:
                raise ValueError(f"{name} has the shape {x.shape}, expected (n, {', '.join(map(str, shape))})")
            if n is not None and len(x) != n:
                raise ValueError(f"{name} has {len(x)} samples, others have {n}")
            taken[name], n = x, len(x)
        if n is None:
            raise ValueError("no array is given")
        return taken, n

    def _room(self, n, names=None):
        return {m: np.empty((n, *self.modalities[m].shape), np.float32) for m in names or self.modalities if self._at(m) >= 0}

    def _pointers(self, arrays, kind=c.Floats):
        """A pointer a modality in the model's order, NULL where there is no array."""
        return (kind * len(self._index))(*[arrays[m].ctypes.data_as(kind) if m in arrays else None for m in self._index])

    def _marks(self, marks, n):
        if not marks:
            return None
        taken = {}
        for name, values in marks.items():
            self._at(name)
            taken[name] = np.ascontiguousarray(values, np.uint8)
            if taken[name].shape != (n,):
                raise ValueError(f"marks of {name} have the shape {taken[name].shape}, expected ({n},)")
        pointers = self._pointers(taken, c.Bytes)
        pointers.arrays = taken  # kept as long as the pointers
        return pointers

    def _latents(self, z, w):
        w = w or {}
        pointers = self._pointers(w)
        latents = c.Latents(z=None if z is None else z.ctypes.data_as(c.Floats), w=pointers if w else None)
        latents.arrays = (z, w, pointers)
        return latents

    def _latent_room(self, rows):
        z = np.empty((rows, self.latent_dim), np.float32) if self.latent_dim else None
        w = {m: np.empty((rows, self.private_dim), np.float32) for m in self._index} if self.private_dim else {}
        return z, w

    def _given_latents(self, z, w):
        z = None if z is None else np.array(z, np.float32, ndmin=2)
        w = {m: np.array(x, np.float32, ndmin=2) for m, x in (w or {}).items() if self._at(m) >= 0}
        if (self.latent_dim and z is None) or (self.private_dim and len(w) != len(self._index)):
            raise ValueError(f"expected z (n, {self.latent_dim}) and w of every modality (n, {self.private_dim})")
        n = len(z) if z is not None else len(next(iter(w.values())))
        if (z is not None and z.shape != (n, self.latent_dim)) or any(x.shape != (n, self.private_dim) for x in w.values()):
            raise ValueError(f"latents have other shapes than (n, {self.latent_dim}) and (n, {self.private_dim})")
        return z, w, n

    # ---------------------------------------------------------------- drawing

    def sample(self, n=1, *, generator=False, number=0, candidates=None, guide_steps=None, x_steps=None, progress=None):
        """n tuples. generator: the generator's alone instead, without choice, guide and data chain."""
        x = self._room(n)
        o = self._options(progress, number=number, candidates=candidates, guide_steps=guide_steps, x_steps=x_steps)
        both = (None, self._pointers(x)) if generator else (self._pointers(x), None)
        call("mm_model_sample", self._need(), n, ctypes.byref(o), *both)
        return x

    def translate(self, given, want=None, *, lacking=None, draws=1, latents=False, number=0, mean=False, expert=None,
                  z_steps=None, candidates=None, guide_steps=None, x_steps=None, progress=None):
        """Makes the modalities `want` (all that are not given) from `given`: rows are inputs times draws, draws fastest.

        lacking: {name: n marks} of tuples that lack what others have. latents: (made, z, w) instead of made alone.
        """
        x, n = self._given(given)
        rows = n * draws
        made = self._room(rows, [m for m in self.modalities if m not in x or m in (lacking or {})] if want is None else list(want))
        o = self._options(progress, expert, number=number, draws=draws, mean=int(mean), z_steps=z_steps,
                          candidates=candidates, guide_steps=guide_steps, x_steps=x_steps)
        z, w = self._latent_room(rows) if latents else (None, {})
        kept = self._latents(z, w)
        call("mm_model_translate", self._need(), n, self._pointers(x), self._marks(lacking, n), ctypes.byref(o),
             self._pointers(made), ctypes.byref(kept))
        return (made, z, w) if latents else made

    def score(self, tuples, *, progress=None):
        """The joint energy of complete tuples, (n,): the lower, the better their parts fit."""
        x, n = self._given(tuples)
        energy = np.empty(n, np.float32)
        call("mm_model_score", self._need(), n, self._pointers(x), ctypes.byref(self._options(progress)),
             energy.ctypes.data_as(c.Floats))
        return energy

    def encode(self, samples, *, progress=None):
        """Means and scales of q(z | x_m), and of q(w_m | x_m), of each modality that is given."""
        x, n = self._given(samples)
        rooms = [{m: np.empty((n, d), np.float32) for m in x} if d else {} for d in
                 (self.latent_dim, self.latent_dim, self.private_dim, self.private_dim)]
        pointers = [self._pointers(room) for room in rooms]
        out = c.EncodedArrays(z_mean=pointers[0], z_scale=pointers[1], w_mean=pointers[2], w_scale=pointers[3])
        call("mm_model_encode", self._need(), n, self._pointers(x), ctypes.byref(self._options(progress)), ctypes.byref(out))
        return Encoded(*rooms)

    def decode(self, z=None, w=None, *, progress=None):
        """What the generator makes of latents."""
        z, w, n = self._given_latents(z, w)
        x = self._room(n)
        call("mm_model_decode", self._need(), n, ctypes.byref(self._latents(z, w)), ctypes.byref(self._options(progress)),
             self._pointers(x))
        return x

    def revise(self, tuples, *, held=None, number=0, x_steps=None, progress=None):
        """Complete tuples moved down the energy. held: {name: n marks} of samples that stay."""
        x, n = self._given({m: np.array(v, np.float32) for m, v in tuples.items()})
        o = self._options(progress, number=number, x_steps=x_steps)
        call("mm_model_revise", self._need(), n, self._marks(held, n), ctypes.byref(o), self._pointers(x))
        return x

    def revise_latents(self, given, z=None, w=None, *, lacking=None, number=0, z_steps=None, guide_steps=None,
                       progress=None):
        """(z, w) moved towards what is given."""
        x, n = self._given(given)
        z, w, rows = self._given_latents(z, w)
        if rows != n:
            raise ValueError(f"there are {rows} latents and {n} samples")
        o = self._options(progress, number=number, z_steps=z_steps, guide_steps=guide_steps)
        call("mm_model_revise_latents", self._need(), n, self._pointers(x), self._marks(lacking, n), ctypes.byref(o),
             ctypes.byref(self._latents(z, w)))
        return z, w

    # ---------------------------------------------------------------- files, words, pictures

    def _one(self, name, x):
        x = np.ascontiguousarray(x, np.float32)
        if x.shape != self.modalities[name].shape:
            raise ValueError(f"a sample of {name} has the shape {self.modalities[name].shape}, found {x.shape}")
        return x

    def _read(self, function, name, value):
        at, x = self._at(name), np.empty(self.modalities[name].shape, np.float32)
        call(function, self._need(), at, value, x.ctypes.data_as(c.Floats))
        return x

    def read_file(self, name, path):
        """One sample from a file."""
        return self._read("mm_model_read_file", name, os.fsencode(path))

    def read_text(self, name, text):
        """One sample from words."""
        return self._read("mm_model_read_text", name, text.encode())

    def render(self, name, x, path):
        """One sample to a file, of the modality's file_suffix."""
        at, x = self._at(name), self._one(name, x)
        call("mm_model_render", self._need(), at, x.ctypes.data_as(c.Floats), os.fsencode(path))

    def draw(self, name, x):
        """One sample as a picture, uint8 (height, width, 3)."""
        at, x = self._at(name), self._one(name, x)
        rgb = np.zeros(self._picture[name], np.uint8)
        call("mm_model_draw", self._need(), at, x.ctypes.data_as(c.Floats), rgb.ctypes.data_as(c.Bytes), rgb.strides[0])
        return rgb
