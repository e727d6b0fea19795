// The kernels' bodies, compiled once per instruction set by the file that includes this one.
//
// They are written with vectors of 16 floats, which the compiler splits into what the set has.
// Only selecting winners uses AVX-512 instructions by name: compression has no portable spelling.
#pragma clang fp contract(fast)
// Vectors wider than a register have no fixed calling convention: all helpers are inlined.
#pragma clang diagnostic ignored "-Wpsabi"
#define INLINE static inline __attribute__((always_inline))

typedef float vf __attribute__((vector_size(64), aligned(4)));
typedef int32_t vi __attribute__((vector_size(64), aligned(4)));

enum { lanes = 16, panel = excite_panel_columns };

INLINE vf load(const float *p) { return *(const vf *)p; }
INLINE void store(float *p, vf v) { *(vf *)p = v; }
INLINE vf broadcast(float x) { return (vf){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
INLINE vf choose(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }
INLINE vf maximum(vf a, vf b) { return choose(a > b, a, b); }
INLINE vf minimum(vf a, vf b) { return choose(a < b, a, b); }

#if EXCITE_AVX512
/// The first n lanes, up to 16; none where n is not above 0.
INLINE __mmask16 first_lanes(ptrdiff_t n) { return (__mmask16)(n > 0 ? (1u << n) - 1 : 0); }
#endif

/// The first n ≤ 16 floats at p, `fill` behind them.
INLINE vf load_part(const float *p, ptrdiff_t n, float fill) {
#if EXCITE_AVX512
  return (vf)_mm512_mask_loadu_ps(_mm512_set1_ps(fill), first_lanes(n), p);
#else
  float part[lanes];
  for (int i = 0; i < lanes; i++) part[i] = i < n ? p[i] : fill;
  return load(part);
#endif
}

/// Stores the first n ≤ 16 lanes; none where n is not above 0.
INLINE void store_part(float *p, vf v, ptrdiff_t n) {
#if EXCITE_AVX512
  _mm512_mask_storeu_ps(p, first_lanes(n), (__m512)v);
#else
  float part[lanes];
  store(part, v);
  for (ptrdiff_t i = 0; i < n; i++) p[i] = part[i];
#endif
}

typedef float v8 __attribute__((vector_size(32), aligned(4)));

INLINE float sum_eight(v8 v) {
  typedef float v4 __attribute__((vector_size(16)));
  v4 four = __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
  return (four[0] + four[2]) + (four[1] + four[3]);
}

INLINE float sum_lanes(vf v) {
  return sum_eight(__builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
                   __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15));
}

INLINE float max_lanes(vf v) {
  // Each lane with the one 8, 4 and 2 places on; the last two by themselves.
  v = maximum(v, __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  v = maximum(v, __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7));
  v = maximum(v, __builtin_shufflevector(v, v, 2, 3, 0, 1, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3));
  return v[0] > v[1] ? v[0] : v[1];
}

/// Unrolls a loop over vectors by request: they must be found to fit in registers before the
/// compiler would unroll by itself.
#define UNROLL _Pragma("clang loop unroll(full)")

// ---------------------------------------------------------------- winners

/// How many of the W values lie above t.
INLINE ptrdiff_t count_above(const float *row, ptrdiff_t W, float t) {
  ptrdiff_t n = 0, count = 0;
#if EXCITE_AVX512
  __m512 threshold = _mm512_set1_ps(t);
  for (; n + lanes <= W; n += lanes)
    count += __builtin_popcount(_mm512_cmp_ps_mask(_mm512_loadu_ps(row + n), threshold, _CMP_GT_OQ));
#else
  vi sums = {};
  for (; n + lanes <= W; n += lanes) sums -= load(row + n) > broadcast(t);
  for (int i = 0; i < lanes; i++) count += sums[i];
#endif
  for (; n < W; n++) count += row[n] > t;
  return count;
}

/// A signed integer that orders floats as their values do, NaN above all, −0 with 0.
INLINE int32_t order_key(float x) {
  int32_t bits;
  x += 0.0f;
  memcpy(&bits, &x, sizeof bits);
  if (x != x) return INT32_MAX;
  return bits ^ ((bits >> 31) & INT32_MAX);
}

/// Winners of a row that holds ties at the threshold, infinities or NaN: bisection over keys.
static void select_slowly(const float *row, ptrdiff_t W, ptrdiff_t K, float *values,
                          int32_t *indices, float *dense, int32_t *counts) {
  int64_t low = (int64_t)INT32_MIN - 1, high = INT32_MAX;  // above(low) >= K > above(high)
  while (high - low > 1) {
    int64_t middle = low + (high - low) / 2;
    ptrdiff_t above = 0;
    for (ptrdiff_t n = 0; n < W; n++) above += order_key(row[n]) > middle;
    if (above >= K) low = middle; else high = middle;
  }
  // The K-th largest key is `high`.
  ptrdiff_t larger = 0;
  for (ptrdiff_t n = 0; n < W; n++) larger += order_key(row[n]) > high;
  ptrdiff_t ties = K - larger, found = 0;
  for (ptrdiff_t n = 0; n < W; n++) {
    int32_t key = order_key(row[n]);
    int wins = key > high || (key == high && ties > 0);
    if (key == high && ties > 0) ties--;
    float value = row[n] > 0 || row[n] != row[n] ? row[n] : 0;
    if (dense) dense[n] = wins ? value : 0;
    if (!wins) continue;
    values[found] = value;
    indices[found++] = (int32_t)n;
    counts[n] += 1;
  }
}

/// Winners of a row of which exactly K values lie above t.
INLINE void select_above(const float *row, ptrdiff_t W, float t, float *values,
                                int32_t *indices, float *dense, int32_t *counts) {
  ptrdiff_t n = 0, found = 0;
#if EXCITE_AVX512
  const __m512i step = _mm512_set1_epi32(lanes);
  __m512i index = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  __m512 threshold = _mm512_set1_ps(t);
  for (; n + lanes <= W; n += lanes, index = _mm512_add_epi32(index, step)) {
    __m512 z = _mm512_loadu_ps(row + n);
    __mmask16 wins = _mm512_cmp_ps_mask(z, threshold, _CMP_GT_OQ);
    __m512 relu = _mm512_maskz_max_ps(wins, z, _mm512_setzero_ps());
    if (dense) _mm512_storeu_ps(dense + n, relu);
    // Compressed in a register: storing compressed is slow on some CPUs.
    _mm512_storeu_ps(values + found, _mm512_maskz_compress_ps(wins, relu));
    _mm512_storeu_si512(indices + found, _mm512_maskz_compress_epi32(wins, index));
    __m512i tally = _mm512_loadu_si512(counts + n);
    _mm512_storeu_si512(counts + n, _mm512_mask_add_epi32(tally, wins, tally, _mm512_set1_epi32(1)));
    found += __builtin_popcount(wins);
  }
#endif
  for (; n < W; n++) {
    int wins = row[n] > t;
    float relu = wins && row[n] > 0 ? row[n] : 0;
    if (dense) dense[n] = relu;
    // Written whether it wins or not and kept only if it does: no branch to mispredict.
    values[found] = relu;
    indices[found] = (int32_t)n;
    counts[n] += wins;
    found += wins;
  }
}

/// z such that a normal variable lies above it with probability p (Abramowitz & Stegun 26.2.23,
/// within 5e-4): only a first guess for the search.
static float normal_quantile(float p) {
  int mirrored = p > 0.5f;
  float t = sqrtf(-2 * logf(mirrored ? 1 - p : p));
  float z = t - (2.515517f + t * (0.802853f + t * 0.010328f)) /
                    (1 + t * (1.432788f + t * (0.189269f + t * 0.001308f)));
  return mirrored ? -z : z;
}

static void top_k_relu(ptrdiff_t B, ptrdiff_t W, ptrdiff_t K, float *z, ptrdiff_t ldz,
                       const float *bias, float *values, int32_t *indices, ptrdiff_t stride,
                       float *dense, ptrdiff_t ld_dense, int32_t *counts) {
  // The threshold is searched from where a normal distribution would have it, with its density as
  // slope, inside a bracket that halves when a step leaves it. Any path ends at the same winners.
  float quantile = normal_quantile(((float)K) / (float)W);
  float density = 0.39894228f * expf(-0.5f * quantile * quantile) * (float)W;
  for (ptrdiff_t b = 0; b < B; b++) {
    float *row = z + b * ldz;
    float *row_values = values + b * stride;
    int32_t *row_indices = indices + b * stride;
    float *row_dense = dense ? dense + b * ld_dense : 0;

    vf low4 = broadcast(INFINITY), high4 = broadcast(-INFINITY), sum4 = {}, square4 = {};
    ptrdiff_t n = 0;
    for (; n + lanes <= W; n += lanes) {
      vf v = load(row + n);
      if (bias) v += load(bias + n);
      store(row + n, v);
      low4 = minimum(v, low4);
      high4 = maximum(v, high4);
      sum4 += v;
      square4 += v * v;
    }
    float low = -max_lanes(-low4), high = max_lanes(high4);
    float sum = sum_lanes(sum4), square = sum_lanes(square4);
    for (; n < W; n++) {
      if (bias) row[n] += bias[n];
      low = row[n] < low ? row[n] : low;
      high = row[n] > high ? row[n] : high;
      sum += row[n];
      square += row[n] * row[n];
    }
    float mean = sum / (float)W, variance = square / (float)W - mean * mean;
    // Sums that overflow or hold a NaN go the slow way too.
    if (!(square < INFINITY) || K == W) {
      select_slowly(row, W, K, row_values, row_indices, row_dense, counts);
      continue;
    }
    float deviation = sqrtf(variance > 0 ? variance : 0);
    float slope = deviation / density;
    float t = mean + quantile * deviation;
    int exact = 0;
    for (int probe = 0; probe < 64; probe++) {
      if (!(t > low && t < high)) t = 0.5f * low + 0.5f * high;
      if (!(t >= low && t < high)) break;
      ptrdiff_t above = count_above(row, W, t);
      if (above == K) {
        exact = 1;
        break;
      }
      if (t == low) break;  // too few above, or two neighbouring floats left: ties
      if (above > K) low = t; else high = t;
      t = probe < 4 ? t + (float)(above - K) * slope : 0.5f * low + 0.5f * high;
    }
    if (exact)
      select_above(row, W, t, row_values, row_indices, row_dense, counts);
    else
      select_slowly(row, W, K, row_values, row_indices, row_dense, counts);
  }
}

// ---------------------------------------------------------------- products
static void relu_gradient(ptrdiff_t n, const float *values, float *gradient) {
  ptrdiff_t i = 0;
  for (; i + lanes <= n; i += lanes)
    store(gradient + i, choose(load(values + i) > (vf){}, load(gradient + i), (vf){}));
  for (; i < n; i++) gradient[i] = values[i] > 0 ? gradient[i] : 0;
}


/// One panel of `gather_sum`, of `vectors`·16 columns that are all computed, `N` of them stored.
INLINE void gather_panel(
    int vectors, ptrdiff_t B, ptrdiff_t K, ptrdiff_t N, const float *values,
    const int32_t *indices, ptrdiff_t stride, const float *M, ptrdiff_t row_stride, float *out,
    ptrdiff_t ld_out) {
  for (ptrdiff_t b = 0; b < B; b++) {
    vf sums[4] = {};
    for (ptrdiff_t j = 0; j < K; j++) {
      const float *row = M + indices[b * stride + j] * row_stride;
      vf value = broadcast(values[b * stride + j]);
      for (int v = 0; v < vectors; v++) sums[v] += value * load(row + v * lanes);
    }
    for (int v = 0; v < vectors; v++) {
      ptrdiff_t left = N - v * lanes;
      if (left >= lanes)
        store(out + b * ld_out + v * lanes, sums[v]);
      else
        store_part(out + b * ld_out + v * lanes, sums[v], left);
    }
  }
}

static void gather_sum(ptrdiff_t B, ptrdiff_t K, ptrdiff_t N, const float *values,
                       const int32_t *indices, ptrdiff_t stride, const float *M,
                       ptrdiff_t row_stride, ptrdiff_t panel_stride, float *out,
                       ptrdiff_t ld_out) {
  for (ptrdiff_t c = 0; c < N; c += panel, M += panel_stride) {
    ptrdiff_t left = N - c < panel ? N - c : panel;
    switch ((left + lanes - 1) / lanes) {
#define PANEL(vectors) \
  gather_panel(vectors, B, K, left, values, indices, stride, M, row_stride, out + c, ld_out)
      case 1: PANEL(1); break;
      case 2: PANEL(2); break;
      case 3: PANEL(3); break;
      default: PANEL(4); break;
#undef PANEL
    }
  }
}

/// Vectors of columns that `scatter_outer` sums at a time in registers, at most.
#if EXCITE_AVX512
enum { most_scatter_vectors = 16 };
#else
enum { most_scatter_vectors = 4 };
#endif

/// One term of a neuron's sum: a row of x, by its distance in floats, and its factor.
typedef struct {
  int32_t row;
  float factor;
} Term;

/// G[c …] = Σ over `count` terms of factor · x[row + c …], for `vectors` vectors of columns, of
/// which `left` are stored.
INLINE void sum_terms(int vectors, const Term *terms, ptrdiff_t count, const float *x, float *G,
                      ptrdiff_t left) {
  vf sums[most_scatter_vectors] = {};
  for (ptrdiff_t t = 0; t < count; t++) {
    const float *row = x + terms[t].row;
    vf factor = broadcast(terms[t].factor);
    for (int v = 0; v < vectors; v++) sums[v] += factor * load(row + v * lanes);
  }
  for (int v = 0; v < vectors; v++) {
    ptrdiff_t rest = left - v * lanes;
    if (rest >= lanes)
      store(G + v * lanes, sums[v]);
    else
      store_part(G + v * lanes, sums[v], rest);
  }
}

/// `sum_terms` for every neuron.
INLINE void sum_columns(int vectors, ptrdiff_t W, const Term *terms, const int32_t *ends,
                        const float *x, float *G, ptrdiff_t ldg, ptrdiff_t left) {
  int32_t start = 0;
  for (ptrdiff_t n = 0; n < W; n++) {
    sum_terms(vectors, terms + start, ends[n] - start, x, G + n * ldg, left);
    start = ends[n];
  }
}

static void scatter_outer(ptrdiff_t B, ptrdiff_t K, ptrdiff_t W, ptrdiff_t I, const float *values,
                          const int32_t *indices, ptrdiff_t stride, const float *x, ptrdiff_t ldx,
                          float *G, ptrdiff_t ldg, float *scratch) {
  // Each neuron's terms are listed, then summed in registers: adding to G in memory as the rows
  // come would wait for each store before the next load.
  int32_t *ends = (int32_t *)scratch;
  Term *terms = (Term *)(scratch + (W + 1) / 2 * 2);
  memset(ends, 0, (size_t)W * sizeof *ends);
  for (ptrdiff_t b = 0; b < B; b++)
    for (ptrdiff_t j = 0; j < K; j++) ends[indices[b * stride + j]] += 1;
  int32_t start = 0;
  for (ptrdiff_t n = 0; n < W; n++) {
    int32_t count = ends[n];
    ends[n] = start;
    start += count;
  }
  for (ptrdiff_t b = 0; b < B; b++)
    for (ptrdiff_t j = 0; j < K; j++) {
      ptrdiff_t slot = b * stride + j;
      terms[ends[indices[slot]]++] = (Term){(int32_t)(b * ldx), values[slot]};
    }
  // Some columns at a time: those of all rows of x stay in the second-level cache. Never so many
  // that more than a panel behind the end would be read.
  ptrdiff_t i = 0;
#if EXCITE_AVX512
  for (; I - i > 12 * lanes; i += 16 * lanes)
    sum_columns(16, W, terms, ends, x + i, G + i, ldg, I - i);
  for (; I - i > 4 * lanes; i += 8 * lanes)
    sum_columns(8, W, terms, ends, x + i, G + i, ldg, I - i);
#endif
  for (; i < I; i += 4 * lanes) sum_columns(4, W, terms, ends, x + i, G + i, ldg, I - i);
}

/// Transposes 16 rows of 16 floats in place: in four rounds, halves of ever nearer rows change
/// places.
INLINE void transpose_block(vf rows[lanes]) {
#define EXCHANGE(distance, low, high)                            \
  UNROLL for (int i = 0; i < lanes; i++)                         \
    if (!(i & distance)) {                                       \
      vf a = rows[i], b = rows[i + distance];                    \
      rows[i] = __builtin_shufflevector(a, b, low);              \
      rows[i + distance] = __builtin_shufflevector(a, b, high);  \
    }
#define LOW8 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23
#define HIGH8 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31
#define LOW4 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27
#define HIGH4 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31
#define LOW2 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define HIGH2 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#define LOW1 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30
#define HIGH1 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31
  EXCHANGE(8, LOW8, HIGH8)
  EXCHANGE(4, LOW4, HIGH4)
  EXCHANGE(2, LOW2, HIGH2)
  EXCHANGE(1, LOW1, HIGH1)
}

static void pack_transposed(ptrdiff_t rows, ptrdiff_t columns, const float *M, ptrdiff_t ldm,
                            float *packed) {
  for (ptrdiff_t r = 0; r < rows; r += panel, packed += columns * panel)
    for (ptrdiff_t i = 0; i < panel; i += lanes)
      for (ptrdiff_t c = 0; c < columns; c += lanes) {
        ptrdiff_t height = rows - r - i, width = columns - c < lanes ? columns - c : lanes;
        const float *corner = M + (r + i) * ldm + c;
        vf block[lanes];
        if (height >= lanes && width == lanes) {
          UNROLL for (int k = 0; k < lanes; k++) block[k] = load(corner + k * ldm);
        } else {
          for (int k = 0; k < lanes; k++)
            block[k] = k < height ? load_part(corner + k * ldm, width, 0) : (vf){};
        }
        transpose_block(block);
        float *to = packed + c * panel + i;
        if (width == lanes) {
          UNROLL for (int k = 0; k < lanes; k++) store(to + k * panel, block[k]);
        } else {
          for (int k = 0; k < width; k++) store(to + k * panel, block[k]);
        }
      }
}

// ---------------------------------------------------------------- dense product

// Only for AVX-512, where it is faster than OpenBLAS, which packs both matrices; with fewer
// registers it is not.
#if EXCITE_AVX512
/// Rows and columns of z that `multiply` sums at a time in registers.
enum { tile_rows = 6, tile_columns = panel, tile_vectors = tile_columns / lanes };
enum { depth = excite_multiply_depth, group = excite_multiply_columns, unrolled = 4 };

#include "ProductBodies.h"

INLINE void add_products(int rows, const float *x, ptrdiff_t ldx, const float *packed,
                         vf sums[tile_rows][tile_vectors]) {
  UNROLL for (int r = 0; r < rows; r++) {
    vf factor = broadcast(x[r * ldx]);
    UNROLL for (int v = 0; v < tile_vectors; v++)
      sums[r][v] += factor * load(packed + v * lanes);
  }
}

/// z[r, c] = Σ_i x[r, i]·packed[i, c] over `count` inputs, for `rows` rows and a tile's columns;
/// added to z where `adds`. `next`: the rows of x that follow, to be fetched meanwhile, or NULL.
INLINE void multiply_tile(int rows, ptrdiff_t count, const float *x, ptrdiff_t ldx,
                          const float *next, const float *packed, float *z, ptrdiff_t ldz,
                          int adds) {
  vf sums[tile_rows][tile_vectors] = {};
  ptrdiff_t i = 0;
  for (; i + unrolled <= count; i += unrolled) {
    // Rows lie too far apart for the CPU to foresee which come next.
    if (next && i % lanes == 0)
      for (int r = 0; r < rows; r++) __builtin_prefetch(next + r * ldx + i);
    UNROLL for (int u = 0; u < unrolled; u++, packed += panel)
      add_products(rows, x + i + u, ldx, packed, sums);
  }
  for (; i < count; i++, packed += panel) add_products(rows, x + i, ldx, packed, sums);
  UNROLL for (int r = 0; r < rows; r++)
    UNROLL for (int v = 0; v < tile_vectors; v++) {
      float *target = z + r * ldz + v * lanes;
      store(target, adds ? load(target) + sums[r][v] : sums[r][v]);
    }
}

static void multiply_rows(ptrdiff_t rows, ptrdiff_t count, const float *x, ptrdiff_t ldx,
                          const float *next, const float *packed, float *z, ptrdiff_t ldz,
                          int adds) {
  switch (rows) {
#define TILE(rows) multiply_tile(rows, count, x, ldx, next, packed, z, ldz, adds)
    case 1: TILE(1); break;
    case 2: TILE(2); break;
    case 3: TILE(3); break;
    case 4: TILE(4); break;
    case 5: TILE(5); break;
    default: TILE(tile_rows); break;
#undef TILE
  }
}

static void multiply(ptrdiff_t B, ptrdiff_t W, ptrdiff_t I, const float *x, ptrdiff_t ldx,
                     const float *M, ptrdiff_t ldm, float *z, ptrdiff_t ldz, float *scratch) {
  for (ptrdiff_t n = 0; n < W; n += group) {
    ptrdiff_t columns = W - n < group ? W - n : group;
    for (ptrdiff_t i = 0; i < I; i += depth) {
      ptrdiff_t count = I - i < depth ? I - i : depth;
      pack_transposed(columns, count, M + n * ldm + i, ldm, scratch);
      for (ptrdiff_t b = 0; b < B; b += tile_rows) {
        ptrdiff_t rows = B - b < tile_rows ? B - b : tile_rows;
        const float *from = x + b * ldx + i;
        for (ptrdiff_t c = 0; c < columns; c += tile_columns) {
          const float *packed = scratch + c * count;
          const float *next = c == 0 && B - b >= 2 * tile_rows ? from + tile_rows * ldx : 0;
          float *target = z + b * ldz + n + c;
          if (columns - c >= tile_columns) {
            multiply_rows(rows, count, from, ldx, next, packed, target, ldz, i > 0);
            continue;
          }
          add_part(rows, columns - c, count, from, ldx, 1, packed, panel, target, ldz, i > 0);
        }
      }
    }
  }
}
#endif

// ---------------------------------------------------------------- loss

/// eˣ for −87 ≤ x ≤ 0 within 2 units in the last place (Cephes' expf).
INLINE vf exponential_near(vf x) {
  const vf magic = broadcast(12582912.0f);  // 1.5·2²³: adding it rounds to a whole number
  vf n = (x * 1.44269504088896341f + magic) - magic;
  vf r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  vf p = broadcast(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  vf e = p * r * r + r + 1.0f;
  vi exponent = __builtin_convertvector(n, vi) << 23;
  return (vf)((vi)e + exponent);
}

/// The same for any x ≤ 0, 0 below −87.
INLINE vf exponential(vf x) {
  vi tiny = x < broadcast(-87.0f);
  return choose(tiny, (vf){}, exponential_near(choose(tiny, broadcast(-87.0f), x)));
}

static double softmax_cross_entropy(ptrdiff_t B, ptrdiff_t C, const float *logits, ptrdiff_t ldl,
                                    const int32_t *labels, float scale, float *gradient,
                                    ptrdiff_t ldg, int64_t *correct) {
  double total = 0;
  for (ptrdiff_t b = 0; b < B; b++) {
    const float *row = logits + b * ldl;
    if (labels[b] < 0) {
      if (gradient) memset(gradient + b * ldg, 0, (size_t)C * sizeof *gradient);
      continue;
    }
    ptrdiff_t best = 0;
    for (ptrdiff_t c = 1; c < C; c++)
      if (row[c] > row[best]) best = c;
    float top = row[best];
    vf sums = {};
    vf odd = {};  // x − x is NaN where x is not finite, and a NaN must reach the loss
    for (ptrdiff_t c = 0; c < C; c += lanes) {
      vf x = C - c >= lanes ? load(row + c) : load_part(row + c, C - c, -3.40282347e38f);
      sums += exponential(x - top);
      odd += x - x;
    }
    float sum = sum_lanes(sums) + sum_lanes(odd);
    total += log((double)sum) + ((double)top - (double)row[labels[b]]);
    *correct += best == labels[b];
    if (!gradient) continue;
    float *out = gradient + b * ldg;
    vf factor = broadcast(scale / sum);
    for (ptrdiff_t c = 0; c < C; c += lanes) {
      ptrdiff_t left = C - c;
      vf x = left >= lanes ? load(row + c) : load_part(row + c, left, top);
      vf g = exponential(x - top) * factor;
      if (left >= lanes) store(out + c, g); else store_part(out + c, g, left);
    }
    out[labels[b]] -= scale;
  }
  return total;
}

// The entropy's vectors: of 8 floats where a register has no more, as with 16 its sums would not stay
// in registers.
#if EXCITE_AVX512
typedef vf vs;
typedef vi vsi;
#define SUM_SOME sum_lanes
#else
typedef v8 vs;
typedef int32_t vsi __attribute__((vector_size(32), aligned(4)));
#define SUM_SOME sum_eight
#endif
enum { some = sizeof(vs) / sizeof(float) };

/// Adds e^d and e^d·d, d = x − top ≤ 0, for the first n of `some` values x.
///
/// e^d, exactly 1 at 0, is within 4 + |d|/4 roundings, without FMA 4 + 3/4·|d|: 2 to the whole number
/// nearest d·log₂ e, times a polynomial for the rest, whose largest relative error is the smallest
/// there is, 1.6·2⁻²⁴. That is fewer instructions than `exponential_near`, whose bits training has.
INLINE void add_powers(const float *x, float top, ptrdiff_t n, vs *sums, vs *products) {
  const vs least = (vs){} - 87.0f;  // e^d·d is no part of a float's sum long before
  const vs magic = (vs){} + 12582912.0f;  // 1.5·2²³: the sum's last bits are the whole number
  vs d = *(const vs *)x - top;
  vsi below = least > d;  // not where d is NaN
  d = (vs)((below & (vsi)least) | (~below & (vsi)d));
  // The float after log₂ e, which does here: with the same factor twice the compiler would round the
  // product by itself, not within two FMA.
  vs whole = d * 1.44269516f + magic;
  vs rest = d * 1.44269504088896341f - (whole - magic);
  vs p = (vs){} + 1.3269519e-3f;
  p = p * rest + 9.6712913e-3f;
  p = p * rest + 5.5507109e-2f;
  p = p * rest + 2.4022247e-1f;
  p = p * rest + 6.9314700e-1f;
  p = p * rest + 1.0f;
  static const int32_t places[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  vsi inside = *(const vsi *)places < (int32_t)n;
  vs power = (vs)(inside & ((vsi)p + ((vsi)whole << 23)));
  *sums += power;
  *products += power * d;
}

static double softmax_entropy(ptrdiff_t B, ptrdiff_t C, const float *logits, ptrdiff_t ldl) {
  // With d = x − max and Z = Σ e^d: −Σ p·log p = log Z − Σ e^d·d / Z.
  const float lowest = -3.40282347e38f;
  // One logarithm for some rows: each Z is from 1 to C, so that no product of 32 is beyond a double.
  enum { block = 32 };
  double sum[block], weighted[block];
  double total = 0;
  for (ptrdiff_t first = 0; first < B; first += block) {
    ptrdiff_t rows = B - first < block ? B - first : block;
    for (ptrdiff_t b = 0; b < rows; b++) {
      const float *row = logits + (first + b) * ldl;
      ptrdiff_t whole = C / lanes * lanes;
      vf tops = broadcast(lowest), others = tops;
      ptrdiff_t even = whole / (2 * lanes) * (2 * lanes);
      for (ptrdiff_t c = 0; c < even; c += 2 * lanes) {
        tops = maximum(load(row + c), tops);
        others = maximum(load(row + c + lanes), others);
      }
      if (even < whole) tops = maximum(load(row + even), tops);
      tops = maximum(tops, others);
      if (whole < C) tops = maximum(load_part(row + whole, C - whole, lowest), tops);
      float top = max_lanes(tops);
      // d is NaN where x is, or where x is the infinite maximum, and through d·e^d so is the result.
      vs sums = {}, products = {};
      for (ptrdiff_t c = 0; c < whole; c += some) add_powers(row + c, top, some, &sums, &products);
      if (whole < C) {
        float part[lanes];
        store(part, load_part(row + whole, C - whole, top));
        for (ptrdiff_t c = whole; c < C; c += some)
          add_powers(part + c - whole, top, C - c, &sums, &products);
      }
      sum[b] = SUM_SOME(sums);
      weighted[b] = SUM_SOME(products);
    }
    double product = 1;
    for (ptrdiff_t b = 0; b < rows; b++) {
      product *= sum[b];
      total -= weighted[b] / sum[b];
    }
    total += log(product);
  }
  return total;
}

#include "TransformerBodies.h"

// ---------------------------------------------------------------- images

enum { side = 32, border = excite_largest_shift };

INLINE vf floats_of(const uint8_t *bytes) {
  typedef uint8_t vb __attribute__((vector_size(16), aligned(1)));
  return __builtin_convertvector(*(const vb *)bytes, vf);
}

INLINE vf reversed(vf v) {
  return __builtin_shufflevector(v, v, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
}

/// One image, flipped where `mirrored` and shifted where `moved`, both known when compiled.
INLINE void prepare_image(int mirrored, int moved, const uint8_t *image, int shift_x, int shift_y,
                          const float *multiplier, const float *offset, float *to) {
  const vi column = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  vi from = column + shift_x;
  vi keeps_left = (from >= 0) & (from < side);
  vi keeps_right = (from + lanes >= 0) & (from + lanes < side);
  // A shifted row is read up to a border beyond its ends, which for the image's first and last
  // row may not be there to read.
  enum { last = 3 * side - 1 };
  uint8_t first_row[border + side + border], last_row[border + side + border];
  if (moved) {
    memcpy(first_row + border, image, side);
    memcpy(last_row + border, image + last * side, side);
  }
  for (int c = 0; c < 3; c++) {
    vf scale = broadcast(multiplier[c]), start = broadcast(offset[c]);
    for (int y = 0; y < side; y++, to += side) {
      int from_y = y + shift_y, number = c * side + from_y;
      if (moved && (from_y < 0 || from_y >= side)) {
        memset(to, 0, side * sizeof(float));
        continue;
      }
      const uint8_t *row = image + number * side;
      if (moved) {
        row = number == 0 ? first_row + border : number == last ? last_row + border : row;
        row += mirrored ? -shift_x : shift_x;
      }
      vf left = floats_of(row) * scale + start, right = floats_of(row + lanes) * scale + start;
      if (mirrored) {
        vf swap = reversed(left);
        left = reversed(right);
        right = swap;
      }
      store(to, moved ? choose(keeps_left, left, (vf){}) : left);
      store(to + lanes, moved ? choose(keeps_right, right, (vf){}) : right);
    }
  }
}

static void prepare_images(ptrdiff_t B, const uint8_t *images, const uint32_t *order,
                           const uint8_t *flip, const int8_t *dx, const int8_t *dy,
                           const float *multiplier, const float *offset, float *out,
                           ptrdiff_t ld_out) {
  for (ptrdiff_t b = 0; b < B; b++) {
    const uint8_t *image = images + (size_t)order[b] * (3 * side * side);
    if (b + 2 < B) {
      const uint8_t *next = images + (size_t)order[b + 2] * (3 * side * side);
      for (int line = 0; line < 3 * side * side; line += 64) __builtin_prefetch(next + line);
    }
    int shift_x = dx ? dx[b] : 0, shift_y = dy ? dy[b] : 0;
    int moved = shift_x || shift_y;
#define IMAGE(mirrored, moved) \
  prepare_image(mirrored, moved, image, shift_x, shift_y, multiplier, offset, out + b * ld_out)
    if (flip && flip[b]) {
      if (moved) IMAGE(1, 1); else IMAGE(1, 0);
    } else {
      if (moved) IMAGE(0, 1); else IMAGE(0, 0);
    }
#undef IMAGE
  }
}

// ---------------------------------------------------------------- optimizers

typedef const ExciteOptimizerStep *Step;

INLINE vf square_root(vf v) { return __builtin_elementwise_sqrt(v); }

/// 0 for what is too small for a normal number. The state of a neuron that is never used decays to
/// there and stays, with no effect on its weights, and CPUs compute with such numbers ten times slower.
INLINE vf normal(vf v) {
  const vf least = broadcast(1.17549435e-38f);
  return choose((v < least) & (v > -least), (vf){}, v);
}

INLINE vf sgd_delta(Step s, vf theta, vf g, vf *unused1, vf *unused2) {
  return -s->rate * (g + s->weight_decay * theta);
}

INLINE vf momentum_delta(Step s, vf theta, vf g, vf *buffer, vf *unused) {
  g += s->weight_decay * theta;
  *buffer = normal(s->first_step ? g : s->momentum * *buffer + s->dampening_keep * g);
  return -s->rate * (s->nesterov ? g + s->momentum * *buffer : *buffer);
}

INLINE vf moments_delta(Step s, vf g, vf *first, vf *second) {
  *first = normal(*first + s->one_minus_beta1 * (g - *first));
  *second = normal(s->beta2 * *second + s->one_minus_beta2 * (g * g));
  return -s->step_size * *first / (square_root(*second) / s->root_correction + s->epsilon);
}

INLINE vf adam_delta(Step s, vf theta, vf g, vf *first, vf *second) {
  return moments_delta(s, g + s->weight_decay * theta, first, second);
}

INLINE vf adamw_delta(Step s, vf theta, vf g, vf *first, vf *second) {
  return moments_delta(s, g, first, second) - s->rate * s->weight_decay * theta;
}

INLINE vf rmsprop_delta(Step s, vf theta, vf g, vf *square, vf *unused) {
  g += s->weight_decay * theta;
  *square = normal(s->beta2 * *square + s->one_minus_beta2 * (g * g));
  return -s->rate * g / (square_root(*square) + s->epsilon);
}

INLINE vf adagrad_delta(Step s, vf theta, vf g, vf *sum, vf *unused) {
  g += s->weight_decay * theta;
  *sum += g * g;
  return -s->rate * g / (square_root(*sum) + s->epsilon);
}

/// θ ← θ + φ·δ over n parameters, with `states` arrays of optimizer state.
#define OPTIMIZER(name, states)                                                              \
  static __attribute__((noinline)) void name##_vectors(                                      \
      Step s, float phi, ptrdiff_t n, float *theta, const float *gradient, float *state1,    \
      float *state2) {                                                                       \
    const ExciteOptimizerStep step = *s; /* a copy that stores cannot alias */               \
    for (ptrdiff_t i = 0; i < n; i += lanes) {                                               \
      vf first = states > 0 ? load(state1 + i) : (vf){};                                     \
      vf second = states > 1 ? load(state2 + i) : (vf){};                                    \
      vf old = load(theta + i);                                                              \
      store(theta + i, old + phi * name##_delta(&step, old, load(gradient + i), &first, &second)); \
      if (states > 0) store(state1 + i, first);                                              \
      if (states > 1) store(state2 + i, second);                                             \
    }                                                                                        \
  }                                                                                          \
  static void name(Step s, float phi, ptrdiff_t n, float *theta, const float *gradient,      \
                   float *state1, float *state2) {                                           \
    ptrdiff_t whole = n / lanes * lanes, left = n - whole;                                   \
    name##_vectors(s, phi, whole, theta, gradient, state1, state2);                          \
    if (left == 0) return;                                                                   \
    float t[lanes], g[lanes], first[lanes], second[lanes];                                   \
    store(t, load_part(theta + whole, left, 0));                                             \
    store(g, load_part(gradient + whole, left, 0));                                          \
    if (states > 0) store(first, load_part(state1 + whole, left, 1));                        \
    if (states > 1) store(second, load_part(state2 + whole, left, 1));                       \
    name##_vectors(s, phi, lanes, t, g, first, second);                                      \
    store_part(theta + whole, load(t), left);                                                \
    if (states > 0) store_part(state1 + whole, load(first), left);                           \
    if (states > 1) store_part(state2 + whole, load(second), left);                          \
  }

OPTIMIZER(sgd, 0)
OPTIMIZER(momentum, 1)
OPTIMIZER(adam, 2)
OPTIMIZER(adamw, 2)
OPTIMIZER(rmsprop, 1)
OPTIMIZER(adagrad, 1)

const ExciteKernels EXCITE_KERNELS = {
    .name = EXCITE_NAME,
    .top_k_relu = top_k_relu,
    .relu_gradient = relu_gradient,
    .gather_sum = gather_sum,
    .scatter_outer = scatter_outer,
    .pack_transposed = pack_transposed,
#if EXCITE_AVX512
    .multiply = multiply,
    .product = product,
#endif
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
