// The readable twins of the fast kernels: one loop per sum, in the order the formulas read.
#include "CKernels.h"

#include <math.h>
#include <string.h>

static void top_k_relu(ptrdiff_t B, ptrdiff_t W, ptrdiff_t K, float *z, ptrdiff_t ldz,
                       const float *bias, float *values, int32_t *indices, ptrdiff_t stride,
                       float *dense, ptrdiff_t ld_dense, int32_t *counts) {
  for (ptrdiff_t b = 0; b < B; b++) {
    float *row = z + b * ldz;
    for (ptrdiff_t n = 0; n < W; n++) row[n] += bias ? bias[n] : 0;
    if (dense) memset(dense + b * ld_dense, 0, (size_t)W * sizeof(float));
    ptrdiff_t found = 0;
    for (ptrdiff_t n = 0; n < W; n++) {
      // A neuron wins when fewer than K stand before it: larger ones, and equal ones to its left.
      ptrdiff_t before = 0;
      for (ptrdiff_t m = 0; m < W; m++) {
        int larger = isnan(row[m]) ? !isnan(row[n]) : row[m] > row[n];
        int equal = isnan(row[m]) ? isnan(row[n]) : row[m] == row[n];
        before += larger || (equal && m < n);
      }
      if (before >= K) continue;
      float value = row[n] > 0 || isnan(row[n]) ? row[n] : 0;
      values[b * stride + found] = value;
      indices[b * stride + found] = (int32_t)n;
      if (dense) dense[b * ld_dense + n] = value;
      counts[n] += 1;
      found += 1;
    }
  }
}

static void relu_gradient(ptrdiff_t n, const float *values, float *gradient) {
  for (ptrdiff_t i = 0; i < n; i++)
    if (!(values[i] > 0)) gradient[i] = 0;
}

static void gather_sum(ptrdiff_t B, ptrdiff_t K, ptrdiff_t N, const float *values,
                       const int32_t *indices, ptrdiff_t stride, const float *M,
                       ptrdiff_t row_stride, ptrdiff_t panel_stride, float *out,
                       ptrdiff_t ld_out) {
  for (ptrdiff_t b = 0; b < B; b++)
    for (ptrdiff_t c = 0; c < N; c++) {
      float sum = 0;
      for (ptrdiff_t j = 0; j < K; j++)
        sum += values[b * stride + j] *
               M[c / excite_panel_columns * panel_stride +
                 indices[b * stride + j] * row_stride + c % excite_panel_columns];
      out[b * ld_out + c] = sum;
    }
}

static void scatter_outer(ptrdiff_t B, ptrdiff_t K, ptrdiff_t W, ptrdiff_t I, const float *values,
                          const int32_t *indices, ptrdiff_t stride, const float *x, ptrdiff_t ldx,
                          float *G, ptrdiff_t ldg, float *scratch) {
  (void)scratch;
  for (ptrdiff_t n = 0; n < W; n++) memset(G + n * ldg, 0, (size_t)I * sizeof(float));
  for (ptrdiff_t b = 0; b < B; b++)
    for (ptrdiff_t j = 0; j < K; j++)
      for (ptrdiff_t i = 0; i < I; i++)
        G[indices[b * stride + j] * ldg + i] += values[b * stride + j] * x[b * ldx + i];
}

static void pack_transposed(ptrdiff_t rows, ptrdiff_t columns, const float *M, ptrdiff_t ldm,
                            float *packed) {
  ptrdiff_t padded = (rows + excite_panel_columns - 1) / excite_panel_columns *
                     excite_panel_columns;
  for (ptrdiff_t r = 0; r < padded; r++)
    for (ptrdiff_t c = 0; c < columns; c++)
      packed[(r / excite_panel_columns * columns + c) * excite_panel_columns +
             r % excite_panel_columns] = r < rows ? M[r * ldm + c] : 0;
}

static void multiply(ptrdiff_t B, ptrdiff_t W, ptrdiff_t I, const float *x, ptrdiff_t ldx,
                     const float *M, ptrdiff_t ldm, float *z, ptrdiff_t ldz, float *scratch) {
  (void)scratch;
  for (ptrdiff_t b = 0; b < B; b++)
    for (ptrdiff_t n = 0; n < W; n++) {
      float sum = 0;
      for (ptrdiff_t i = 0; i < I; i++) sum += x[b * ldx + i] * M[n * ldm + i];
      z[b * ldz + n] = sum;
    }
}

static void product(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const float *a, ptrdiff_t row_step,
                    ptrdiff_t inner_step, const float *b, ptrdiff_t ldb, float *c, ptrdiff_t ldc,
                    int adds) {
  for (ptrdiff_t r = 0; r < m; r++)
    for (ptrdiff_t column = 0; column < n; column++) {
      float sum = adds ? c[r * ldc + column] : 0;
      for (ptrdiff_t i = 0; i < k; i++)
        sum += a[r * row_step + i * inner_step] * b[i * ldb + column];
      c[r * ldc + column] = sum;
    }
}

static double softmax_cross_entropy(ptrdiff_t B, ptrdiff_t C, const float *logits, ptrdiff_t ldl,
                                    const int32_t *labels, float scale, float *gradient,
                                    ptrdiff_t ldg, int64_t *correct) {
  double total = 0;
  for (ptrdiff_t b = 0; b < B; b++) {
    const float *row = logits + b * ldl;
    if (labels[b] < 0) {
      for (ptrdiff_t c = 0; gradient && c < C; c++) gradient[b * ldg + c] = 0;
      continue;
    }
    ptrdiff_t best = 0;
    for (ptrdiff_t c = 1; c < C; c++)
      if (row[c] > row[best]) best = c;
    // Read before the gradient may take the logits' place.
    double top = row[best], sum = 0;
    for (ptrdiff_t c = 0; c < C; c++) sum += exp(row[c] - top);
    total += log(sum) + (top - row[labels[b]]);
    *correct += best == labels[b];
    if (!gradient) continue;
    for (ptrdiff_t c = 0; c < C; c++)
      gradient[b * ldg + c] = (float)((exp(row[c] - top) / sum - (c == labels[b])) * scale);
  }
  return total;
}

static double softmax_entropy(ptrdiff_t B, ptrdiff_t C, const float *logits, ptrdiff_t ldl) {
  double total = 0;
  for (ptrdiff_t b = 0; b < B; b++) {
    const float *row = logits + b * ldl;
    double top = row[0], sum = 0;
    for (ptrdiff_t c = 1; c < C; c++) top = row[c] > top ? row[c] : top;
    for (ptrdiff_t c = 0; c < C; c++) sum += exp(row[c] - top);
    for (ptrdiff_t c = 0; c < C; c++) {
      double p = exp(row[c] - top) / sum;
      if (p != 0) total -= p * log(p);  // the limit of p·log p at 0 is 0
    }
  }
  return total;
}

#include "PlainTransformer.h"

static void prepare_images(ptrdiff_t B, const uint8_t *images, const uint32_t *order,
                           const uint8_t *flip, const int8_t *dx, const int8_t *dy,
                           const float *multiplier, const float *offset, float *out,
                           ptrdiff_t ld_out) {
  for (ptrdiff_t b = 0; b < B; b++)
    for (int c = 0; c < 3; c++)
      for (int y = 0; y < 32; y++)
        for (int x = 0; x < 32; x++) {
          int from_y = y + (dy ? dy[b] : 0), from_x = x + (dx ? dx[b] : 0);
          float value = 0;
          if (from_y >= 0 && from_y < 32 && from_x >= 0 && from_x < 32) {
            if (flip && flip[b]) from_x = 31 - from_x;
            value = images[((size_t)order[b] * 3 + c) * 1024 + from_y * 32 + from_x] *
                        multiplier[c] + offset[c];
          }
          out[b * ld_out + c * 1024 + y * 32 + x] = value;
        }
}

static void sgd(const ExciteOptimizerStep *s, float phi, ptrdiff_t n, float *theta,
                const float *gradient, float *state1, float *state2) {
  (void)state1, (void)state2;
  for (ptrdiff_t i = 0; i < n; i++) {
    float g = gradient[i] + s->weight_decay * theta[i];
    theta[i] += phi * (-s->rate * g);
  }
}

/// 0 for what is too small for a normal number.
static float normal(float v) { return fabsf(v) < 1.17549435e-38f ? 0 : v; }

static void momentum(const ExciteOptimizerStep *s, float phi, ptrdiff_t n, float *theta,
                     const float *gradient, float *buffer, float *state2) {
  (void)state2;
  for (ptrdiff_t i = 0; i < n; i++) {
    float g = gradient[i] + s->weight_decay * theta[i];
    float m = normal(s->first_step ? g : s->momentum * buffer[i] + s->dampening_keep * g);
    buffer[i] = m;
    float direction = s->nesterov ? g + s->momentum * m : m;
    theta[i] += phi * (-s->rate * direction);
  }
}

static float adam_delta(const ExciteOptimizerStep *s, float g, float *first, float *second) {
  float m = normal(*first + s->one_minus_beta1 * (g - *first));
  float v = normal(s->beta2 * *second + s->one_minus_beta2 * g * g);
  *first = m;
  *second = v;
  return -s->step_size * m / (sqrtf(v) / s->root_correction + s->epsilon);
}

static void adam(const ExciteOptimizerStep *s, float phi, ptrdiff_t n, float *theta,
                 const float *gradient, float *first, float *second) {
  for (ptrdiff_t i = 0; i < n; i++) {
    float g = gradient[i] + s->weight_decay * theta[i];
    theta[i] += phi * adam_delta(s, g, first + i, second + i);
  }
}

static void adamw(const ExciteOptimizerStep *s, float phi, ptrdiff_t n, float *theta,
                  const float *gradient, float *first, float *second) {
  for (ptrdiff_t i = 0; i < n; i++) {
    float decay = -s->rate * s->weight_decay * theta[i];
    theta[i] += phi * (decay + adam_delta(s, gradient[i], first + i, second + i));
  }
}

static void rmsprop(const ExciteOptimizerStep *s, float phi, ptrdiff_t n, float *theta,
                    const float *gradient, float *square, float *state2) {
  (void)state2;
  for (ptrdiff_t i = 0; i < n; i++) {
    float g = gradient[i] + s->weight_decay * theta[i];
    float v = normal(s->beta2 * square[i] + s->one_minus_beta2 * g * g);
    square[i] = v;
    theta[i] += phi * (-s->rate * g / (sqrtf(v) + s->epsilon));
  }
}

static void adagrad(const ExciteOptimizerStep *s, float phi, ptrdiff_t n, float *theta,
                    const float *gradient, float *sum, float *state2) {
  (void)state2;
  for (ptrdiff_t i = 0; i < n; i++) {
    float g = gradient[i] + s->weight_decay * theta[i];
    sum[i] += g * g;
    theta[i] += phi * (-s->rate * g / (sqrtf(sum[i]) + s->epsilon));
  }
}

const ExciteKernels excite_kernels_plain = {
    .name = "plain",
    .top_k_relu = top_k_relu,
    .relu_gradient = relu_gradient,
    .gather_sum = gather_sum,
    .scatter_outer = scatter_outer,
    .pack_transposed = pack_transposed,
    .multiply = multiply,
    .product = product,
    .softmax_cross_entropy = softmax_cross_entropy,
    .softmax_entropy = softmax_entropy,
    .gelu = gelu,
    .log_sum_exp = log_sum_exp,
    .softmax = softmax,
    .softmax_gradient = softmax_gradient,
    .layer_norm = layer_norm,
    .layer_norm_gradient = layer_norm_gradient,
    .gather_scaled = gather_scaled,
    .prepare_images = prepare_images,
    .sgd = sgd,
    .momentum = momentum,
    .adam = adam,
    .adamw = adamw,
    .rmsprop = rmsprop,
    .adagrad = adagrad,
};
