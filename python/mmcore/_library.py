"""The C side: where the library is, its structs and functions (mmcore/mmcore.h)."""

import ctypes
import os
from ctypes import POINTER, c_char, c_char_p, c_float, c_int32, c_int64, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p

Floats = POINTER(c_float)
Bytes = POINTER(c_uint8)
Progress = ctypes.CFUNCTYPE(c_int32, c_void_p, c_uint64, c_uint64)
Log = ctypes.CFUNCTYPE(None, c_void_p, c_int32, c_char_p)


class Sized(ctypes.Structure):
    """A struct whose first member is its size."""

    def __init__(self, **members):
        super().__init__(struct_size=ctypes.sizeof(self), **members)


class ErrorText(Sized):
    _fields_ = [("struct_size", c_uint32), ("code", c_int32), ("message", c_char * 504)]


class OpenOptions(Sized):
    _fields_ = [("struct_size", c_uint32), ("threads", c_uint32), ("device", c_char_p), ("plugin_path", c_char_p),
                ("plugins", POINTER(c_char_p)), ("n_plugins", c_size_t), ("settings", POINTER(c_char_p)),
                ("n_settings", c_size_t), ("log", Log), ("log_ctx", c_void_p)]


class About(Sized):
    _fields_ = [("struct_size", c_uint32), ("n_modalities", c_uint32), ("latent_dim", c_int32),
                ("private_dim", c_int32), ("has_energy", c_int32), ("threads", c_uint32), ("iteration", c_int64),
                ("seed", c_uint64)]


class ModalityAbout(Sized):
    _fields_ = [("struct_size", c_uint32), ("rank", c_uint32), ("dim", c_int64 * 8), ("floats", c_uint64),
                ("name", c_char_p), ("plugin", c_char_p), ("version", c_char_p), ("kind", c_char_p),
                ("file_suffix", c_char_p), ("support", c_char_p), ("likelihood", c_char_p), ("lo", c_float),
                ("hi", c_float), ("likelihood_scale", c_float), ("n_classes", c_uint32), ("can", c_uint32),
                ("picture_width", c_uint32), ("picture_height", c_uint32)]


class Options(Sized):
    _fields_ = [("struct_size", c_uint32), ("number", c_uint32), ("draws", c_uint32), ("mean", c_int32),
                ("expert", c_int32), ("z_steps", c_int32), ("candidates", c_int32), ("guide_steps", c_int32),
                ("x_steps", c_int32), ("progress", Progress), ("progress_ctx", c_void_p)]


class Latents(Sized):
    _fields_ = [("struct_size", c_uint32), ("z", Floats), ("w", POINTER(Floats))]


class EncodedArrays(Sized):
    _fields_ = [("struct_size", c_uint32), ("z_mean", POINTER(Floats)), ("z_scale", POINTER(Floats)),
                ("w_mean", POINTER(Floats)), ("w_scale", POINTER(Floats))]


CAN_READ_FILES, CAN_READ_TEXT, CAN_DRAW = 1, 2, 4
CANCELLED = 11

_E, _M, _O, _XX = POINTER(ErrorText), c_void_p, POINTER(Options), POINTER(Floats)
_functions = {
    "mm_model_open": (c_int32, [c_char_p, POINTER(OpenOptions), POINTER(c_void_p), _E]),
    "mm_model_open_memory": (c_int32, [c_char_p, c_size_t, c_char_p, POINTER(OpenOptions), POINTER(c_void_p), _E]),
    "mm_model_close": (None, [_M]),
    "mm_model_describe": (c_int32, [_M, POINTER(About), _E]),
    "mm_model_modality": (c_int32, [_M, c_uint32, POINTER(ModalityAbout), _E]),
    "mm_model_meta": (c_char_p, [_M, c_char_p]),
    "mm_model_meta_key": (c_char_p, [_M, c_size_t]),
    "mm_model_sample": (c_int32, [_M, c_uint32, _O, _XX, _XX, _E]),
    "mm_model_translate": (c_int32, [_M, c_uint32, _XX, POINTER(Bytes), _O, _XX, POINTER(Latents), _E]),
    "mm_model_score": (c_int32, [_M, c_uint32, _XX, _O, Floats, _E]),
    "mm_model_encode": (c_int32, [_M, c_uint32, _XX, _O, POINTER(EncodedArrays), _E]),
    "mm_model_decode": (c_int32, [_M, c_uint32, POINTER(Latents), _O, _XX, _E]),
    "mm_model_revise": (c_int32, [_M, c_uint32, POINTER(Bytes), _O, _XX, _E]),
    "mm_model_revise_latents": (c_int32, [_M, c_uint32, _XX, POINTER(Bytes), _O, POINTER(Latents), _E]),
    "mm_model_read_file": (c_int32, [_M, c_uint32, c_char_p, Floats, _E]),
    "mm_model_read_text": (c_int32, [_M, c_uint32, c_char_p, Floats, _E]),
    "mm_model_render": (c_int32, [_M, c_uint32, Floats, c_char_p, _E]),
    "mm_model_draw": (c_int32, [_M, c_uint32, Floats, Bytes, c_size_t, _E]),
    "mm_status_name": (c_char_p, [c_int32]),
    "mm_version": (c_char_p, []),
}


def _load():
    """$MMCORE_LIBRARY, or the library that the system's loader finds."""
    named = os.environ.get("MMCORE_LIBRARY")
    try:
        library = ctypes.CDLL(named or "libmmcore.so.1")
    except OSError as reason:
        raise ImportError(f"{reason}; install mmcore, or set MMCORE_LIBRARY to libmmcore.so.1") from None
    for name, (result, arguments) in _functions.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


library = _load()


class Error(Exception):
    """What the library refused; status is the name of its code."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code
        self.status = library.mm_status_name(code).decode()


class Cancelled(Error):
    """The progress callback returned something true."""


def call(name, *arguments):
    """Calls a function whose last argument is the error, and raises what it tells."""
    error = ErrorText()
    code = getattr(library, name)(*arguments, ctypes.byref(error))
    if code:
        raise (Cancelled if code == CANCELLED else Error)(code, error.message.decode(errors="replace"))


def version():
    """The version of the library that runs."""
    return library.mm_version().decode()
