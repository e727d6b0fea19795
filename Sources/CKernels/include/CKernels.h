// The engine's kernels beyond BLAS: one table of functions per instruction set, chosen at run time.
//
// Letters: B batch rows, W width (neurons of a layer), K winners per row, I inputs, C classes.
// Winners of a layer are stored as B rows of `stride` slots, of which the first K are used:
// `indices` (ascending within a row) and values. All matrices are row-major float32; `ld…` is the
// distance between rows in floats. Nothing here allocates.
#ifndef EXCITE_CKERNELS_H
#define EXCITE_CKERNELS_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// Columns in one panel of a packed matrix (see `pack_transposed`).
enum { excite_panel_columns = 64 };
/// Inputs and columns of the block of a matrix that `multiply` packs at a time: 196 KB, which the
/// second-level cache holds beside the rows that stream past.
enum { excite_multiply_depth = 384, excite_multiply_columns = 2 * excite_panel_columns };
/// Floats of scratch that `multiply` needs.
enum { excite_multiply_scratch = excite_multiply_depth * excite_multiply_columns };
/// Floats of scratch that `scatter_outer` needs: an end for each neuron, and two for each term.
static inline ptrdiff_t excite_scatter_scratch(ptrdiff_t B, ptrdiff_t K, ptrdiff_t W) {
  return W + 1 + 2 * B * K;
}
/// The widest border that `prepare_images` shifts by.
enum { excite_largest_shift = 8 };

/// What layer normalization adds to a variance: PyTorch's.
static const float excite_layer_norm_epsilon = 1e-5f;

/// Constants of one optimizer step, shared by all its parameters.
typedef struct {
  float rate;           // η of this step, before Φ
  float weight_decay;   // λ
  float momentum;       // μ
  float dampening_keep; // 1 − dampening
  int32_t nesterov;
  int32_t first_step;   // momentum buffers start as the gradient itself
  float beta1, one_minus_beta1;
  float beta2, one_minus_beta2; // RMSprop: α and 1 − α
  float epsilon;
  float step_size;       // Adam: η / (1 − β₁ᵗ)
  float root_correction; // Adam: √(1 − β₂ᵗ)
} ExciteOptimizerStep;

/// δ of one optimizer on `n` parameters, scaled by `phi` and applied: θ ← θ + φ·δ. Moments are
/// those of the unscaled optimizer, 0 where they decay below the smallest normal number. `state1`,
/// `state2`: the optimizer's own, unused ones are NULL.
typedef void (*ExciteOptimizerKernel)(const ExciteOptimizerStep *step, float phi, ptrdiff_t n,
                                      float *theta, const float *gradient,
                                      float *_Nullable state1, float *_Nullable state2);

typedef struct {
  const char *name;

  /// Per row of z [B, W]: add `bias` [W] where given, keep the K largest (ties to the lower index;
  /// NaN counts as largest), apply ReLU to them. Writes `values`, `indices` (B × stride, stride ≥
  /// K + 16), `dense` [B, W] with zeros elsewhere where given, z itself with the bias, and adds to
  /// counts [W] how many rows each neuron won.
  void (*top_k_relu)(ptrdiff_t B, ptrdiff_t W, ptrdiff_t K, float *z, ptrdiff_t ldz,
                     const float *_Nullable bias, float *values, int32_t *indices,
                     ptrdiff_t stride, float *_Nullable dense, ptrdiff_t ld_dense,
                     int32_t *counts);

  /// Zeroes the gradient where the ReLU's value is not above 0, n elements.
  void (*relu_gradient)(ptrdiff_t n, const float *values, float *gradient);

  /// out[b, :] = Σ_j values[b, j] · M[indices[b, j], :], for N columns. M lies in panels of 64
  /// columns: column c of row r is at M[(c / 64)·panel_stride + r·row_stride + c % 64]; a panel
  /// may be read to its end.
  void (*gather_sum)(ptrdiff_t B, ptrdiff_t K, ptrdiff_t N, const float *values,
                     const int32_t *indices, ptrdiff_t stride, const float *M,
                     ptrdiff_t row_stride, ptrdiff_t panel_stride, float *out, ptrdiff_t ld_out);

  /// G[n, :] = Σ over b, j with indices[b, j] = n of values[b, j] · x[b, :]; G is [W, I] and is
  /// overwritten. The gradient of a weight whose output is sparse. Rows of x may be read
  /// one panel behind their end. `scratch`: excite_scatter_scratch(B, K, W) floats.
  void (*scatter_outer)(ptrdiff_t B, ptrdiff_t K, ptrdiff_t W, ptrdiff_t I, const float *values,
                        const int32_t *indices, ptrdiff_t stride, const float *x, ptrdiff_t ldx,
                        float *G, ptrdiff_t ldg, float *scratch);

  /// packed[(r / 64)·64·columns + c·64 + r % 64] = M[r, c], the transpose of M [rows, columns] in
  /// panels, the last one padded with zeros.
  void (*pack_transposed)(ptrdiff_t rows, ptrdiff_t columns, const float *M, ptrdiff_t ldm,
                          float *packed);

  /// z = x·Mᵀ for x [B, I] and M [W, I]; z is [B, W]. An element is summed in the same order wherever
  /// its row stands. `scratch`: excite_multiply_scratch floats. NULL where BLAS is faster.
  void (*_Nullable multiply)(ptrdiff_t B, ptrdiff_t W, ptrdiff_t I, const float *x, ptrdiff_t ldx,
                   const float *M, ptrdiff_t ldm, float *z, ptrdiff_t ldz, float *scratch);

  /// c = A·b, or c + A·b where `adds`, for A [m, k] with element (r, i) at a[r·row_step + i·inner_step],
  /// b [k, n] and c [m, n]. An element is summed in the same order wherever its row stands. Rows of b
  /// may be read up to 15 floats behind their end. NULL where BLAS is faster.
  void (*_Nullable product)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const float *a,
                            ptrdiff_t row_step, ptrdiff_t inner_step, const float *b,
                            ptrdiff_t ldb, float *c, ptrdiff_t ldc, int adds);

  /// Mean cross entropy of logits [B, C] and labels, in nats, returned as a sum over rows; writes
  /// gradient = (softmax − onehot)·scale [B, C], and adds to `correct` the rows whose largest
  /// logit (the first of equals) is the label. A row whose label is negative counts for nothing.
  /// The gradient may take the logits' place.
  double (*softmax_cross_entropy)(ptrdiff_t B, ptrdiff_t C, const float *logits, ptrdiff_t ldl,
                                  const int32_t *labels, float scale, float *_Nullable gradient,
                                  ptrdiff_t ldg, int64_t *correct);

  /// Entropy of the softmax of each row of logits [B, C], −Σ p·log p in nats, summed over the rows.
  double (*softmax_entropy)(ptrdiff_t B, ptrdiff_t C, const float *logits, ptrdiff_t ldl);

  /// h = GELU(z + bias) and z = GELU′(z + bias) for z and h [B, W] without gaps; GELU(x) = x·Φ(x), Φ the
  /// normal distribution's (the "exact" or "erf" GELU).
  void (*gelu)(ptrdiff_t B, ptrdiff_t W, const float *bias, float *z, float *h);

  /// sums[b] = log Σ_c exp(scale·x[b, c]) for x [B, C].
  void (*log_sum_exp)(ptrdiff_t B, ptrdiff_t C, const float *x, ptrdiff_t ldx, float scale,
                      float *sums);

  /// p[b, c] = exp(scale·x[b, c] − sums[b]), the softmax where `sums` are log_sum_exp's. p may be x.
  void (*softmax)(ptrdiff_t B, ptrdiff_t C, const float *x, ptrdiff_t ldx, float scale,
                  const float *sums, float *p, ptrdiff_t ldp);

  /// g = scale·p·(g − Σ_c p·g) for p and g [B, C]: from the gradient of a softmax to that of its x.
  void (*softmax_gradient)(ptrdiff_t B, ptrdiff_t C, const float *p, ptrdiff_t ldp, float scale,
                           float *g, ptrdiff_t ldg);

  /// hat = (x − mean)·inverse per row of x [B, W], y = hat·gain + offset; hat and y without gaps,
  /// inverse[b] = 1/√(variance + 1e-5), the population's.
  void (*layer_norm)(ptrdiff_t B, ptrdiff_t W, const float *x, ptrdiff_t ldx, const float *gain,
                     const float *offset, float *hat, float *inverse, float *y);

  /// From dy [B, W] without gaps adds to dx, dgain [W] and doffset [W] what layer_norm passes back.
  void (*layer_norm_gradient)(ptrdiff_t B, ptrdiff_t W, const float *dy, const float *hat,
                              const float *inverse, const float *gain, float *dx, ptrdiff_t ldx,
                              float *dgain, float *doffset);

  /// scaled[s, :] = gates[s]·x[rows[s], :] and dots[s] = Σ_c x[rows[s], c]·y[s, c], for `count` s;
  /// x, y and scaled have rows of W without gaps.
  void (*gather_scaled)(ptrdiff_t count, ptrdiff_t W, const int32_t *rows, const float *gates,
                        const float *x, const float *y, float *scaled, float *dots);

  /// One image row set from bytes: out[b, :] = normalized image number order[b], flipped where
  /// flip[b], shifted by (dx[b], dy[b]) in −padding … padding with 0 where the shift leaves the
  /// image. images [N, 3, 32, 32]; value = byte·multiplier[c] + offset[c], c the channel.
  void (*prepare_images)(ptrdiff_t B, const uint8_t *images, const uint32_t *order,
                         const uint8_t *_Nullable flip, const int8_t *_Nullable dx,
                         const int8_t *_Nullable dy, const float *multiplier,
                         const float *offset, float *out, ptrdiff_t ld_out);

  ExciteOptimizerKernel sgd, momentum, adam, adamw, rmsprop, adagrad;
} ExciteKernels;

/// The fastest kernels this CPU runs: "avx512", "avx2" or "baseline".
const ExciteKernels *excite_kernels_best(void);
/// Kernels by name, also "plain" (the readable twins that the others are tested against); NULL
/// when there are none of that name or this CPU cannot run them.
const ExciteKernels *_Nullable excite_kernels_named(const char *name);

#pragma clang assume_nonnull end
#endif
