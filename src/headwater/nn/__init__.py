"""Operations of neural networks."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.ops.losses import log_poisson_loss as log_poisson_loss
from headwater._src.ops.losses import sigmoid_cross_entropy_with_logits as sigmoid_cross_entropy_with_logits
from headwater._src.ops.losses import softmax_cross_entropy_with_logits as softmax_cross_entropy_with_logits
from headwater._src.ops.losses import sparse_softmax_cross_entropy_with_logits as sparse_softmax_cross_entropy_with_logits
from headwater._src.ops.losses import weighted_cross_entropy_with_logits as weighted_cross_entropy_with_logits
from headwater._src.ops.nn import batch_normalization as batch_normalization
from headwater._src.ops.nn import bias_add as bias_add
from headwater._src.ops.nn import crelu as crelu
from headwater._src.ops.nn import dropout as dropout
from headwater._src.ops.nn import elu as elu
from headwater._src.ops.nn import embedding_lookup as embedding_lookup
from headwater._src.ops.nn import gelu as gelu
from headwater._src.ops.nn import l2_loss as l2_loss
from headwater._src.ops.nn import l2_normalize as l2_normalize
from headwater._src.ops.nn import leaky_relu as leaky_relu
from headwater._src.ops.nn import log_softmax as log_softmax
from headwater._src.ops.nn import moments as moments
from headwater._src.ops.nn import relu as relu
from headwater._src.ops.nn import relu6 as relu6
from headwater._src.ops.nn import selu as selu
from headwater._src.ops.nn import silu as silu
from headwater._src.ops.nn import silu as swish
from headwater._src.ops.nn import softmax as softmax
from headwater._src.ops.reduce import zero_fraction as zero_fraction
from headwater._src.ops.sort import in_top_k as in_top_k
from headwater._src.ops.sort import top_k as top_k
from headwater._src.ops.special import sigmoid as sigmoid
from headwater._src.ops.special import softplus as softplus
from headwater._src.ops.special import softsign as softsign
from headwater._src.ops.special import tanh as tanh
from headwater.nn import experimental as experimental
