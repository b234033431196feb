"""Linear algebra."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.ops.clip import global_norm as global_norm
from headwater._src.ops.create import eye as eye
from headwater._src.ops.einsum import einsum as einsum
from headwater._src.ops.einsum import tensordot as tensordot
from headwater._src.ops.linalg import adjoint as adjoint
from headwater._src.ops.linalg import band_part as band_part
from headwater._src.ops.linalg import det as det
from headwater._src.ops.linalg import diag as diag
from headwater._src.ops.linalg import diag_part as diag_part
from headwater._src.ops.linalg import inv as inv
from headwater._src.ops.linalg import matmul as matmul
from headwater._src.ops.linalg import matrix_transpose as matrix_transpose
from headwater._src.ops.linalg import matvec as matvec
from headwater._src.ops.linalg import solve as solve
from headwater._src.ops.linalg import trace as trace
from headwater._src.ops.linalg_decompose import cholesky as cholesky
from headwater._src.ops.linalg_decompose import cholesky_solve as cholesky_solve
from headwater._src.ops.linalg_decompose import eig as eig
from headwater._src.ops.linalg_decompose import eigh as eigh
from headwater._src.ops.linalg_decompose import eigvals as eigvals
from headwater._src.ops.linalg_decompose import eigvalsh as eigvalsh
from headwater._src.ops.linalg_decompose import logdet as logdet
from headwater._src.ops.linalg_decompose import lu as lu
from headwater._src.ops.linalg_decompose import lu_matrix_inverse as lu_matrix_inverse
from headwater._src.ops.linalg_decompose import lu_reconstruct as lu_reconstruct
from headwater._src.ops.linalg_decompose import lu_solve as lu_solve
from headwater._src.ops.linalg_decompose import qr as qr
from headwater._src.ops.linalg_decompose import slogdet as slogdet
from headwater._src.ops.linalg_decompose import svd as svd
from headwater._src.ops.linalg_decompose import triangular_solve as triangular_solve
from headwater._src.ops.nn import l2_normalize as l2_normalize
from headwater._src.ops.reduce import norm as norm
