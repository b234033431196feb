"""NumPy's functions on tensors, with NumPy's promotion of dtypes."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.core.tensor import Tensor as ndarray
from headwater.experimental.numpy import random as random

from typing import TYPE_CHECKING as _TYPE_CHECKING

from headwater._src.base.lazy import late as _late

if _TYPE_CHECKING:
    from headwater._src.ops.numpy_create import arange as arange
    from headwater._src.ops.numpy_create import broadcast_to as broadcast_to
    from headwater._src.ops.numpy_create import diag_indices as diag_indices
    from headwater._src.ops.numpy_create import empty as empty
    from headwater._src.ops.numpy_create import empty_like as empty_like
    from headwater._src.ops.numpy_create import eye as eye
    from headwater._src.ops.numpy_create import full as full
    from headwater._src.ops.numpy_create import full_like as full_like
    from headwater._src.ops.numpy_create import geomspace as geomspace
    from headwater._src.ops.numpy_create import identity as identity
    from headwater._src.ops.numpy_create import linspace as linspace
    from headwater._src.ops.numpy_create import logspace as logspace
    from headwater._src.ops.numpy_create import ones as ones
    from headwater._src.ops.numpy_create import ones_like as ones_like
    from headwater._src.ops.numpy_create import tri as tri
    from headwater._src.ops.numpy_create import tril as tril
    from headwater._src.ops.numpy_create import triu as triu
    from headwater._src.ops.numpy_create import vander as vander
    from headwater._src.ops.numpy_create import zeros as zeros
    from headwater._src.ops.numpy_create import zeros_like as zeros_like
    from headwater._src.ops.numpy_dtypes import array as array
    from headwater._src.ops.numpy_dtypes import asanyarray as asanyarray
    from headwater._src.ops.numpy_dtypes import asarray as asarray
    from headwater._src.ops.numpy_dtypes import ascontiguousarray as ascontiguousarray
    from headwater._src.ops.numpy_dtypes import bool_ as bool_
    from headwater._src.ops.numpy_dtypes import complex128 as complex128
    from headwater._src.ops.numpy_dtypes import complex64 as complex64
    from headwater._src.ops.numpy_dtypes import complex_ as complex_
    from headwater._src.ops.numpy_dtypes import copy as copy
    from headwater._src.ops.numpy_dtypes import e as e
    from headwater._src.ops.numpy_dtypes import finfo as finfo
    from headwater._src.ops.numpy_dtypes import float16 as float16
    from headwater._src.ops.numpy_dtypes import float32 as float32
    from headwater._src.ops.numpy_dtypes import float64 as float64
    from headwater._src.ops.numpy_dtypes import float_ as float_
    from headwater._src.ops.numpy_dtypes import iinfo as iinfo
    from headwater._src.ops.numpy_dtypes import inexact as inexact
    from headwater._src.ops.numpy_dtypes import inf as inf
    from headwater._src.ops.numpy_dtypes import int16 as int16
    from headwater._src.ops.numpy_dtypes import int32 as int32
    from headwater._src.ops.numpy_dtypes import int64 as int64
    from headwater._src.ops.numpy_dtypes import int8 as int8
    from headwater._src.ops.numpy_dtypes import int_ as int_
    from headwater._src.ops.numpy_dtypes import issubdtype as issubdtype
    from headwater._src.ops.numpy_dtypes import newaxis as newaxis
    from headwater._src.ops.numpy_dtypes import object_ as object_
    from headwater._src.ops.numpy_dtypes import pi as pi
    from headwater._src.ops.numpy_dtypes import promote_types as promote_types
    from headwater._src.ops.numpy_dtypes import result_type as result_type
    from headwater._src.ops.numpy_dtypes import string_ as string_
    from headwater._src.ops.numpy_dtypes import uint16 as uint16
    from headwater._src.ops.numpy_dtypes import uint32 as uint32
    from headwater._src.ops.numpy_dtypes import uint64 as uint64
    from headwater._src.ops.numpy_dtypes import uint8 as uint8
    from headwater._src.ops.numpy_dtypes import unicode_ as unicode_
    from headwater._src.ops.numpy_math import abs_ as abs
    from headwater._src.ops.numpy_math import absolute as absolute
    from headwater._src.ops.numpy_math import add as add
    from headwater._src.ops.numpy_math import allclose as allclose
    from headwater._src.ops.numpy_math import angle as angle
    from headwater._src.ops.numpy_math import arccos as arccos
    from headwater._src.ops.numpy_math import arccosh as arccosh
    from headwater._src.ops.numpy_math import arcsin as arcsin
    from headwater._src.ops.numpy_math import arcsinh as arcsinh
    from headwater._src.ops.numpy_math import arctan as arctan
    from headwater._src.ops.numpy_math import arctan2 as arctan2
    from headwater._src.ops.numpy_math import arctanh as arctanh
    from headwater._src.ops.numpy_math import around as around
    from headwater._src.ops.numpy_math import array_equal as array_equal
    from headwater._src.ops.numpy_math import bitwise_and as bitwise_and
    from headwater._src.ops.numpy_math import bitwise_not as bitwise_not
    from headwater._src.ops.numpy_math import bitwise_or as bitwise_or
    from headwater._src.ops.numpy_math import bitwise_xor as bitwise_xor
    from headwater._src.ops.numpy_math import cbrt as cbrt
    from headwater._src.ops.numpy_math import ceil as ceil
    from headwater._src.ops.numpy_math import clip as clip
    from headwater._src.ops.numpy_math import conj as conj
    from headwater._src.ops.numpy_math import conjugate as conjugate
    from headwater._src.ops.numpy_math import cos as cos
    from headwater._src.ops.numpy_math import cosh as cosh
    from headwater._src.ops.numpy_math import deg2rad as deg2rad
    from headwater._src.ops.numpy_math import divide as divide
    from headwater._src.ops.numpy_math import divmod_ as divmod
    from headwater._src.ops.numpy_math import equal as equal
    from headwater._src.ops.numpy_math import exp as exp
    from headwater._src.ops.numpy_math import exp2 as exp2
    from headwater._src.ops.numpy_math import expm1 as expm1
    from headwater._src.ops.numpy_math import fabs as fabs
    from headwater._src.ops.numpy_math import fix as fix
    from headwater._src.ops.numpy_math import float_power as float_power
    from headwater._src.ops.numpy_math import floor as floor
    from headwater._src.ops.numpy_math import floor_divide as floor_divide
    from headwater._src.ops.numpy_math import gcd as gcd
    from headwater._src.ops.numpy_math import greater as greater
    from headwater._src.ops.numpy_math import greater_equal as greater_equal
    from headwater._src.ops.numpy_math import heaviside as heaviside
    from headwater._src.ops.numpy_math import hypot as hypot
    from headwater._src.ops.numpy_math import imag as imag
    from headwater._src.ops.numpy_math import isclose as isclose
    from headwater._src.ops.numpy_math import iscomplex as iscomplex
    from headwater._src.ops.numpy_math import iscomplexobj as iscomplexobj
    from headwater._src.ops.numpy_math import isfinite as isfinite
    from headwater._src.ops.numpy_math import isinf as isinf
    from headwater._src.ops.numpy_math import isnan as isnan
    from headwater._src.ops.numpy_math import isneginf as isneginf
    from headwater._src.ops.numpy_math import isposinf as isposinf
    from headwater._src.ops.numpy_math import isreal as isreal
    from headwater._src.ops.numpy_math import isrealobj as isrealobj
    from headwater._src.ops.numpy_math import lcm as lcm
    from headwater._src.ops.numpy_math import less as less
    from headwater._src.ops.numpy_math import less_equal as less_equal
    from headwater._src.ops.numpy_math import log as log
    from headwater._src.ops.numpy_math import log10 as log10
    from headwater._src.ops.numpy_math import log1p as log1p
    from headwater._src.ops.numpy_math import log2 as log2
    from headwater._src.ops.numpy_math import logaddexp as logaddexp
    from headwater._src.ops.numpy_math import logaddexp2 as logaddexp2
    from headwater._src.ops.numpy_math import logical_and as logical_and
    from headwater._src.ops.numpy_math import logical_not as logical_not
    from headwater._src.ops.numpy_math import logical_or as logical_or
    from headwater._src.ops.numpy_math import logical_xor as logical_xor
    from headwater._src.ops.numpy_math import maximum as maximum
    from headwater._src.ops.numpy_math import minimum as minimum
    from headwater._src.ops.numpy_math import mod as mod
    from headwater._src.ops.numpy_math import multiply as multiply
    from headwater._src.ops.numpy_math import negative as negative
    from headwater._src.ops.numpy_math import nextafter as nextafter
    from headwater._src.ops.numpy_math import not_equal as not_equal
    from headwater._src.ops.numpy_math import positive as positive
    from headwater._src.ops.numpy_math import power as power
    from headwater._src.ops.numpy_math import rad2deg as rad2deg
    from headwater._src.ops.numpy_math import real as real
    from headwater._src.ops.numpy_math import reciprocal as reciprocal
    from headwater._src.ops.numpy_math import remainder as remainder
    from headwater._src.ops.numpy_math import round_ as round
    from headwater._src.ops.numpy_math import sign as sign
    from headwater._src.ops.numpy_math import signbit as signbit
    from headwater._src.ops.numpy_math import sin as sin
    from headwater._src.ops.numpy_math import sinc as sinc
    from headwater._src.ops.numpy_math import sinh as sinh
    from headwater._src.ops.numpy_math import sqrt as sqrt
    from headwater._src.ops.numpy_math import square as square
    from headwater._src.ops.numpy_math import subtract as subtract
    from headwater._src.ops.numpy_math import tan as tan
    from headwater._src.ops.numpy_math import tanh as tanh
    from headwater._src.ops.numpy_math import true_divide as true_divide
    from headwater._src.ops.numpy_products import cross as cross
    from headwater._src.ops.numpy_products import dot as dot
    from headwater._src.ops.numpy_products import einsum as einsum
    from headwater._src.ops.numpy_products import inner as inner
    from headwater._src.ops.numpy_products import kron as kron
    from headwater._src.ops.numpy_products import matmul as matmul
    from headwater._src.ops.numpy_products import outer as outer
    from headwater._src.ops.numpy_products import polyval as polyval
    from headwater._src.ops.numpy_products import tensordot as tensordot
    from headwater._src.ops.numpy_products import vdot as vdot
    from headwater._src.ops.numpy_reduce import all_ as all
    from headwater._src.ops.numpy_reduce import amax as amax
    from headwater._src.ops.numpy_reduce import amin as amin
    from headwater._src.ops.numpy_reduce import any_ as any
    from headwater._src.ops.numpy_reduce import argmax as argmax
    from headwater._src.ops.numpy_reduce import argmin as argmin
    from headwater._src.ops.numpy_reduce import argsort as argsort
    from headwater._src.ops.numpy_reduce import average as average
    from headwater._src.ops.numpy_reduce import compress as compress
    from headwater._src.ops.numpy_reduce import count_nonzero as count_nonzero
    from headwater._src.ops.numpy_reduce import cumprod as cumprod
    from headwater._src.ops.numpy_reduce import cumsum as cumsum
    from headwater._src.ops.numpy_reduce import diff as diff
    from headwater._src.ops.numpy_reduce import max_ as max
    from headwater._src.ops.numpy_reduce import mean as mean
    from headwater._src.ops.numpy_reduce import min_ as min
    from headwater._src.ops.numpy_reduce import nanmean as nanmean
    from headwater._src.ops.numpy_reduce import nanprod as nanprod
    from headwater._src.ops.numpy_reduce import nansum as nansum
    from headwater._src.ops.numpy_reduce import prod_ as prod
    from headwater._src.ops.numpy_reduce import ptp as ptp
    from headwater._src.ops.numpy_reduce import size as size
    from headwater._src.ops.numpy_reduce import sort as sort
    from headwater._src.ops.numpy_reduce import std as std
    from headwater._src.ops.numpy_reduce import sum_ as sum
    from headwater._src.ops.numpy_reduce import trace as trace
    from headwater._src.ops.numpy_reduce import var as var
    from headwater._src.ops.numpy_shape import append as append
    from headwater._src.ops.numpy_shape import atleast_1d as atleast_1d
    from headwater._src.ops.numpy_shape import atleast_2d as atleast_2d
    from headwater._src.ops.numpy_shape import atleast_3d as atleast_3d
    from headwater._src.ops.numpy_shape import broadcast_arrays as broadcast_arrays
    from headwater._src.ops.numpy_shape import concatenate as concatenate
    from headwater._src.ops.numpy_shape import diag as diag
    from headwater._src.ops.numpy_shape import diagflat as diagflat
    from headwater._src.ops.numpy_shape import diagonal as diagonal
    from headwater._src.ops.numpy_shape import dsplit as dsplit
    from headwater._src.ops.numpy_shape import dstack as dstack
    from headwater._src.ops.numpy_shape import expand_dims as expand_dims
    from headwater._src.ops.numpy_shape import flatten as flatten
    from headwater._src.ops.numpy_shape import flip as flip
    from headwater._src.ops.numpy_shape import fliplr as fliplr
    from headwater._src.ops.numpy_shape import flipud as flipud
    from headwater._src.ops.numpy_shape import hsplit as hsplit
    from headwater._src.ops.numpy_shape import hstack as hstack
    from headwater._src.ops.numpy_shape import isscalar as isscalar
    from headwater._src.ops.numpy_shape import ix_ as ix_
    from headwater._src.ops.numpy_shape import meshgrid as meshgrid
    from headwater._src.ops.numpy_shape import moveaxis as moveaxis
    from headwater._src.ops.numpy_shape import ndim as ndim
    from headwater._src.ops.numpy_shape import nonzero as nonzero
    from headwater._src.ops.numpy_shape import pad as pad
    from headwater._src.ops.numpy_shape import ravel as ravel
    from headwater._src.ops.numpy_shape import repeat as repeat
    from headwater._src.ops.numpy_shape import reshape as reshape
    from headwater._src.ops.numpy_shape import roll as roll
    from headwater._src.ops.numpy_shape import rot90 as rot90
    from headwater._src.ops.numpy_shape import select as select
    from headwater._src.ops.numpy_shape import shape as shape
    from headwater._src.ops.numpy_shape import split as split
    from headwater._src.ops.numpy_shape import squeeze as squeeze
    from headwater._src.ops.numpy_shape import stack as stack
    from headwater._src.ops.numpy_shape import swapaxes as swapaxes
    from headwater._src.ops.numpy_shape import take as take
    from headwater._src.ops.numpy_shape import take_along_axis as take_along_axis
    from headwater._src.ops.numpy_shape import tile as tile
    from headwater._src.ops.numpy_shape import transpose as transpose
    from headwater._src.ops.numpy_shape import vsplit as vsplit
    from headwater._src.ops.numpy_shape import vstack as vstack
    from headwater._src.ops.numpy_shape import where as where
    from headwater._src.state.numpy_behavior import experimental_enable_numpy_behavior as experimental_enable_numpy_behavior

_LATE = {
    "abs": ("headwater._src.ops.numpy_math", "abs_"),
    "absolute": ("headwater._src.ops.numpy_math", "absolute"),
    "add": ("headwater._src.ops.numpy_math", "add"),
    "all": ("headwater._src.ops.numpy_reduce", "all_"),
    "allclose": ("headwater._src.ops.numpy_math", "allclose"),
    "amax": ("headwater._src.ops.numpy_reduce", "amax"),
    "amin": ("headwater._src.ops.numpy_reduce", "amin"),
    "angle": ("headwater._src.ops.numpy_math", "angle"),
    "any": ("headwater._src.ops.numpy_reduce", "any_"),
    "append": ("headwater._src.ops.numpy_shape", "append"),
    "arange": ("headwater._src.ops.numpy_create", "arange"),
    "arccos": ("headwater._src.ops.numpy_math", "arccos"),
    "arccosh": ("headwater._src.ops.numpy_math", "arccosh"),
    "arcsin": ("headwater._src.ops.numpy_math", "arcsin"),
    "arcsinh": ("headwater._src.ops.numpy_math", "arcsinh"),
    "arctan": ("headwater._src.ops.numpy_math", "arctan"),
    "arctan2": ("headwater._src.ops.numpy_math", "arctan2"),
    "arctanh": ("headwater._src.ops.numpy_math", "arctanh"),
    "argmax": ("headwater._src.ops.numpy_reduce", "argmax"),
    "argmin": ("headwater._src.ops.numpy_reduce", "argmin"),
    "argsort": ("headwater._src.ops.numpy_reduce", "argsort"),
    "around": ("headwater._src.ops.numpy_math", "around"),
    "array": ("headwater._src.ops.numpy_dtypes", "array"),
    "array_equal": ("headwater._src.ops.numpy_math", "array_equal"),
    "asanyarray": ("headwater._src.ops.numpy_dtypes", "asanyarray"),
    "asarray": ("headwater._src.ops.numpy_dtypes", "asarray"),
    "ascontiguousarray": ("headwater._src.ops.numpy_dtypes", "ascontiguousarray"),
    "atleast_1d": ("headwater._src.ops.numpy_shape", "atleast_1d"),
    "atleast_2d": ("headwater._src.ops.numpy_shape", "atleast_2d"),
    "atleast_3d": ("headwater._src.ops.numpy_shape", "atleast_3d"),
    "average": ("headwater._src.ops.numpy_reduce", "average"),
    "bitwise_and": ("headwater._src.ops.numpy_math", "bitwise_and"),
    "bitwise_not": ("headwater._src.ops.numpy_math", "bitwise_not"),
    "bitwise_or": ("headwater._src.ops.numpy_math", "bitwise_or"),
    "bitwise_xor": ("headwater._src.ops.numpy_math", "bitwise_xor"),
    "bool_": ("headwater._src.ops.numpy_dtypes", "bool_"),
    "broadcast_arrays": ("headwater._src.ops.numpy_shape", "broadcast_arrays"),
    "broadcast_to": ("headwater._src.ops.numpy_create", "broadcast_to"),
    "cbrt": ("headwater._src.ops.numpy_math", "cbrt"),
    "ceil": ("headwater._src.ops.numpy_math", "ceil"),
    "clip": ("headwater._src.ops.numpy_math", "clip"),
    "complex128": ("headwater._src.ops.numpy_dtypes", "complex128"),
    "complex64": ("headwater._src.ops.numpy_dtypes", "complex64"),
    "complex_": ("headwater._src.ops.numpy_dtypes", "complex_"),
    "compress": ("headwater._src.ops.numpy_reduce", "compress"),
    "concatenate": ("headwater._src.ops.numpy_shape", "concatenate"),
    "conj": ("headwater._src.ops.numpy_math", "conj"),
    "conjugate": ("headwater._src.ops.numpy_math", "conjugate"),
    "copy": ("headwater._src.ops.numpy_dtypes", "copy"),
    "cos": ("headwater._src.ops.numpy_math", "cos"),
    "cosh": ("headwater._src.ops.numpy_math", "cosh"),
    "count_nonzero": ("headwater._src.ops.numpy_reduce", "count_nonzero"),
    "cross": ("headwater._src.ops.numpy_products", "cross"),
    "cumprod": ("headwater._src.ops.numpy_reduce", "cumprod"),
    "cumsum": ("headwater._src.ops.numpy_reduce", "cumsum"),
    "deg2rad": ("headwater._src.ops.numpy_math", "deg2rad"),
    "diag": ("headwater._src.ops.numpy_shape", "diag"),
    "diag_indices": ("headwater._src.ops.numpy_create", "diag_indices"),
    "diagflat": ("headwater._src.ops.numpy_shape", "diagflat"),
    "diagonal": ("headwater._src.ops.numpy_shape", "diagonal"),
    "diff": ("headwater._src.ops.numpy_reduce", "diff"),
    "divide": ("headwater._src.ops.numpy_math", "divide"),
    "divmod": ("headwater._src.ops.numpy_math", "divmod_"),
    "dot": ("headwater._src.ops.numpy_products", "dot"),
    "dsplit": ("headwater._src.ops.numpy_shape", "dsplit"),
    "dstack": ("headwater._src.ops.numpy_shape", "dstack"),
    "e": ("headwater._src.ops.numpy_dtypes", "e"),
    "einsum": ("headwater._src.ops.numpy_products", "einsum"),
    "empty": ("headwater._src.ops.numpy_create", "empty"),
    "empty_like": ("headwater._src.ops.numpy_create", "empty_like"),
    "equal": ("headwater._src.ops.numpy_math", "equal"),
    "exp": ("headwater._src.ops.numpy_math", "exp"),
    "exp2": ("headwater._src.ops.numpy_math", "exp2"),
    "expand_dims": ("headwater._src.ops.numpy_shape", "expand_dims"),
    "experimental_enable_numpy_behavior": ("headwater._src.state.numpy_behavior", "experimental_enable_numpy_behavior"),
    "expm1": ("headwater._src.ops.numpy_math", "expm1"),
    "eye": ("headwater._src.ops.numpy_create", "eye"),
    "fabs": ("headwater._src.ops.numpy_math", "fabs"),
    "finfo": ("headwater._src.ops.numpy_dtypes", "finfo"),
    "fix": ("headwater._src.ops.numpy_math", "fix"),
    "flatten": ("headwater._src.ops.numpy_shape", "flatten"),
    "flip": ("headwater._src.ops.numpy_shape", "flip"),
    "fliplr": ("headwater._src.ops.numpy_shape", "fliplr"),
    "flipud": ("headwater._src.ops.numpy_shape", "flipud"),
    "float16": ("headwater._src.ops.numpy_dtypes", "float16"),
    "float32": ("headwater._src.ops.numpy_dtypes", "float32"),
    "float64": ("headwater._src.ops.numpy_dtypes", "float64"),
    "float_": ("headwater._src.ops.numpy_dtypes", "float_"),
    "float_power": ("headwater._src.ops.numpy_math", "float_power"),
    "floor": ("headwater._src.ops.numpy_math", "floor"),
    "floor_divide": ("headwater._src.ops.numpy_math", "floor_divide"),
    "full": ("headwater._src.ops.numpy_create", "full"),
    "full_like": ("headwater._src.ops.numpy_create", "full_like"),
    "gcd": ("headwater._src.ops.numpy_math", "gcd"),
    "geomspace": ("headwater._src.ops.numpy_create", "geomspace"),
    "greater": ("headwater._src.ops.numpy_math", "greater"),
    "greater_equal": ("headwater._src.ops.numpy_math", "greater_equal"),
    "heaviside": ("headwater._src.ops.numpy_math", "heaviside"),
    "hsplit": ("headwater._src.ops.numpy_shape", "hsplit"),
    "hstack": ("headwater._src.ops.numpy_shape", "hstack"),
    "hypot": ("headwater._src.ops.numpy_math", "hypot"),
    "identity": ("headwater._src.ops.numpy_create", "identity"),
    "iinfo": ("headwater._src.ops.numpy_dtypes", "iinfo"),
    "imag": ("headwater._src.ops.numpy_math", "imag"),
    "inexact": ("headwater._src.ops.numpy_dtypes", "inexact"),
    "inf": ("headwater._src.ops.numpy_dtypes", "inf"),
    "inner": ("headwater._src.ops.numpy_products", "inner"),
    "int16": ("headwater._src.ops.numpy_dtypes", "int16"),
    "int32": ("headwater._src.ops.numpy_dtypes", "int32"),
    "int64": ("headwater._src.ops.numpy_dtypes", "int64"),
    "int8": ("headwater._src.ops.numpy_dtypes", "int8"),
    "int_": ("headwater._src.ops.numpy_dtypes", "int_"),
    "isclose": ("headwater._src.ops.numpy_math", "isclose"),
    "iscomplex": ("headwater._src.ops.numpy_math", "iscomplex"),
    "iscomplexobj": ("headwater._src.ops.numpy_math", "iscomplexobj"),
    "isfinite": ("headwater._src.ops.numpy_math", "isfinite"),
    "isinf": ("headwater._src.ops.numpy_math", "isinf"),
    "isnan": ("headwater._src.ops.numpy_math", "isnan"),
    "isneginf": ("headwater._src.ops.numpy_math", "isneginf"),
    "isposinf": ("headwater._src.ops.numpy_math", "isposinf"),
    "isreal": ("headwater._src.ops.numpy_math", "isreal"),
    "isrealobj": ("headwater._src.ops.numpy_math", "isrealobj"),
    "isscalar": ("headwater._src.ops.numpy_shape", "isscalar"),
    "issubdtype": ("headwater._src.ops.numpy_dtypes", "issubdtype"),
    "ix_": ("headwater._src.ops.numpy_shape", "ix_"),
    "kron": ("headwater._src.ops.numpy_products", "kron"),
    "lcm": ("headwater._src.ops.numpy_math", "lcm"),
    "less": ("headwater._src.ops.numpy_math", "less"),
    "less_equal": ("headwater._src.ops.numpy_math", "less_equal"),
    "linspace": ("headwater._src.ops.numpy_create", "linspace"),
    "log": ("headwater._src.ops.numpy_math", "log"),
    "log10": ("headwater._src.ops.numpy_math", "log10"),
    "log1p": ("headwater._src.ops.numpy_math", "log1p"),
    "log2": ("headwater._src.ops.numpy_math", "log2"),
    "logaddexp": ("headwater._src.ops.numpy_math", "logaddexp"),
    "logaddexp2": ("headwater._src.ops.numpy_math", "logaddexp2"),
    "logical_and": ("headwater._src.ops.numpy_math", "logical_and"),
    "logical_not": ("headwater._src.ops.numpy_math", "logical_not"),
    "logical_or": ("headwater._src.ops.numpy_math", "logical_or"),
    "logical_xor": ("headwater._src.ops.numpy_math", "logical_xor"),
    "logspace": ("headwater._src.ops.numpy_create", "logspace"),
    "matmul": ("headwater._src.ops.numpy_products", "matmul"),
    "max": ("headwater._src.ops.numpy_reduce", "max_"),
    "maximum": ("headwater._src.ops.numpy_math", "maximum"),
    "mean": ("headwater._src.ops.numpy_reduce", "mean"),
    "meshgrid": ("headwater._src.ops.numpy_shape", "meshgrid"),
    "min": ("headwater._src.ops.numpy_reduce", "min_"),
    "minimum": ("headwater._src.ops.numpy_math", "minimum"),
    "mod": ("headwater._src.ops.numpy_math", "mod"),
    "moveaxis": ("headwater._src.ops.numpy_shape", "moveaxis"),
    "multiply": ("headwater._src.ops.numpy_math", "multiply"),
    "nanmean": ("headwater._src.ops.numpy_reduce", "nanmean"),
    "nanprod": ("headwater._src.ops.numpy_reduce", "nanprod"),
    "nansum": ("headwater._src.ops.numpy_reduce", "nansum"),
    "ndim": ("headwater._src.ops.numpy_shape", "ndim"),
    "negative": ("headwater._src.ops.numpy_math", "negative"),
    "newaxis": ("headwater._src.ops.numpy_dtypes", "newaxis"),
    "nextafter": ("headwater._src.ops.numpy_math", "nextafter"),
    "nonzero": ("headwater._src.ops.numpy_shape", "nonzero"),
    "not_equal": ("headwater._src.ops.numpy_math", "not_equal"),
    "object_": ("headwater._src.ops.numpy_dtypes", "object_"),
    "ones": ("headwater._src.ops.numpy_create", "ones"),
    "ones_like": ("headwater._src.ops.numpy_create", "ones_like"),
    "outer": ("headwater._src.ops.numpy_products", "outer"),
    "pad": ("headwater._src.ops.numpy_shape", "pad"),
    "pi": ("headwater._src.ops.numpy_dtypes", "pi"),
    "polyval": ("headwater._src.ops.numpy_products", "polyval"),
    "positive": ("headwater._src.ops.numpy_math", "positive"),
    "power": ("headwater._src.ops.numpy_math", "power"),
    "prod": ("headwater._src.ops.numpy_reduce", "prod_"),
    "promote_types": ("headwater._src.ops.numpy_dtypes", "promote_types"),
    "ptp": ("headwater._src.ops.numpy_reduce", "ptp"),
    "rad2deg": ("headwater._src.ops.numpy_math", "rad2deg"),
    "ravel": ("headwater._src.ops.numpy_shape", "ravel"),
    "real": ("headwater._src.ops.numpy_math", "real"),
    "reciprocal": ("headwater._src.ops.numpy_math", "reciprocal"),
    "remainder": ("headwater._src.ops.numpy_math", "remainder"),
    "repeat": ("headwater._src.ops.numpy_shape", "repeat"),
    "reshape": ("headwater._src.ops.numpy_shape", "reshape"),
    "result_type": ("headwater._src.ops.numpy_dtypes", "result_type"),
    "roll": ("headwater._src.ops.numpy_shape", "roll"),
    "rot90": ("headwater._src.ops.numpy_shape", "rot90"),
    "round": ("headwater._src.ops.numpy_math", "round_"),
    "select": ("headwater._src.ops.numpy_shape", "select"),
    "shape": ("headwater._src.ops.numpy_shape", "shape"),
    "sign": ("headwater._src.ops.numpy_math", "sign"),
    "signbit": ("headwater._src.ops.numpy_math", "signbit"),
    "sin": ("headwater._src.ops.numpy_math", "sin"),
    "sinc": ("headwater._src.ops.numpy_math", "sinc"),
    "sinh": ("headwater._src.ops.numpy_math", "sinh"),
    "size": ("headwater._src.ops.numpy_reduce", "size"),
    "sort": ("headwater._src.ops.numpy_reduce", "sort"),
    "split": ("headwater._src.ops.numpy_shape", "split"),
    "sqrt": ("headwater._src.ops.numpy_math", "sqrt"),
    "square": ("headwater._src.ops.numpy_math", "square"),
    "squeeze": ("headwater._src.ops.numpy_shape", "squeeze"),
    "stack": ("headwater._src.ops.numpy_shape", "stack"),
    "std": ("headwater._src.ops.numpy_reduce", "std"),
    "string_": ("headwater._src.ops.numpy_dtypes", "string_"),
    "subtract": ("headwater._src.ops.numpy_math", "subtract"),
    "sum": ("headwater._src.ops.numpy_reduce", "sum_"),
    "swapaxes": ("headwater._src.ops.numpy_shape", "swapaxes"),
    "take": ("headwater._src.ops.numpy_shape", "take"),
    "take_along_axis": ("headwater._src.ops.numpy_shape", "take_along_axis"),
    "tan": ("headwater._src.ops.numpy_math", "tan"),
    "tanh": ("headwater._src.ops.numpy_math", "tanh"),
    "tensordot": ("headwater._src.ops.numpy_products", "tensordot"),
    "tile": ("headwater._src.ops.numpy_shape", "tile"),
    "trace": ("headwater._src.ops.numpy_reduce", "trace"),
    "transpose": ("headwater._src.ops.numpy_shape", "transpose"),
    "tri": ("headwater._src.ops.numpy_create", "tri"),
    "tril": ("headwater._src.ops.numpy_create", "tril"),
    "triu": ("headwater._src.ops.numpy_create", "triu"),
    "true_divide": ("headwater._src.ops.numpy_math", "true_divide"),
    "uint16": ("headwater._src.ops.numpy_dtypes", "uint16"),
    "uint32": ("headwater._src.ops.numpy_dtypes", "uint32"),
    "uint64": ("headwater._src.ops.numpy_dtypes", "uint64"),
    "uint8": ("headwater._src.ops.numpy_dtypes", "uint8"),
    "unicode_": ("headwater._src.ops.numpy_dtypes", "unicode_"),
    "vander": ("headwater._src.ops.numpy_create", "vander"),
    "var": ("headwater._src.ops.numpy_reduce", "var"),
    "vdot": ("headwater._src.ops.numpy_products", "vdot"),
    "vsplit": ("headwater._src.ops.numpy_shape", "vsplit"),
    "vstack": ("headwater._src.ops.numpy_shape", "vstack"),
    "where": ("headwater._src.ops.numpy_shape", "where"),
    "zeros": ("headwater._src.ops.numpy_create", "zeros"),
    "zeros_like": ("headwater._src.ops.numpy_create", "zeros_like"),
}
__getattr__, __dir__ = _late(globals(), _LATE)
