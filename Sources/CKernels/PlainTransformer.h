// The readable twins of a transformer's kernels; part of Plain.c.

static void gelu(ptrdiff_t B, ptrdiff_t W, const float *bias, float *z, float *h) {
  for (ptrdiff_t b = 0; b < B; b++)
    for (ptrdiff_t c = 0; c < W; c++) {
      double x = (double)z[b * W + c] + bias[c];
      double share = 0.5 * erfc(-x * 0.7071067811865476);
      h[b * W + c] = (float)(x * share);
      z[b * W + c] = (float)(share + x * exp(-0.5 * x * x) * 0.3989422804014327);
    }
}

static void log_sum_exp(ptrdiff_t B, ptrdiff_t C, const float *x, ptrdiff_t ldx, float scale,
                        float *sums) {
  for (ptrdiff_t b = 0; b < B; b++) {
    double top = (double)scale * x[b * ldx], sum = 0;
    for (ptrdiff_t c = 1; c < C; c++) top = fmax(top, (double)scale * x[b * ldx + c]);
    for (ptrdiff_t c = 0; c < C; c++) sum += exp((double)scale * x[b * ldx + c] - top);
    sums[b] = (float)(top + log(sum));
  }
}

static void softmax(ptrdiff_t B, ptrdiff_t C, const float *x, ptrdiff_t ldx, float scale,
                    const float *sums, float *p, ptrdiff_t ldp) {
  for (ptrdiff_t b = 0; b < B; b++)
    for (ptrdiff_t c = 0; c < C; c++)
      p[b * ldp + c] = (float)exp((double)scale * x[b * ldx + c] - sums[b]);
}

static void softmax_gradient(ptrdiff_t B, ptrdiff_t C, const float *p, ptrdiff_t ldp, float scale,
                             float *g, ptrdiff_t ldg) {
  for (ptrdiff_t b = 0; b < B; b++) {
    double mean = 0;
    for (ptrdiff_t c = 0; c < C; c++) mean += (double)p[b * ldp + c] * g[b * ldg + c];
    for (ptrdiff_t c = 0; c < C; c++)
      g[b * ldg + c] = (float)((double)scale * p[b * ldp + c] * (g[b * ldg + c] - mean));
  }
}

static void layer_norm(ptrdiff_t B, ptrdiff_t W, const float *x, ptrdiff_t ldx, const float *gain,
                       const float *offset, float *hat, float *inverse, float *y) {
  for (ptrdiff_t b = 0; b < B; b++) {
    const float *row = x + b * ldx;
    double mean = 0, variance = 0;
    for (ptrdiff_t c = 0; c < W; c++) mean += row[c] / (double)W;
    for (ptrdiff_t c = 0; c < W; c++) variance += (row[c] - mean) * (row[c] - mean) / (double)W;
    double scale = 1 / sqrt(variance + excite_layer_norm_epsilon);
    inverse[b] = (float)scale;
    for (ptrdiff_t c = 0; c < W; c++) {
      hat[b * W + c] = (float)((row[c] - mean) * scale);
      y[b * W + c] = hat[b * W + c] * gain[c] + offset[c];
    }
  }
}

static void layer_norm_gradient(ptrdiff_t B, ptrdiff_t W, const float *dy, const float *hat,
                                const float *inverse, const float *gain, float *dx, ptrdiff_t ldx,
                                float *dgain, float *doffset) {
  for (ptrdiff_t b = 0; b < B; b++) {
    double mean = 0, slope = 0;
    for (ptrdiff_t c = 0; c < W; c++) {
      float g = dy[b * W + c], normal = hat[b * W + c];
      dgain[c] += g * normal;
      doffset[c] += g;
      mean += (double)g * gain[c] / (double)W;
      slope += (double)g * gain[c] * normal / (double)W;
    }
    for (ptrdiff_t c = 0; c < W; c++)
      dx[b * ldx + c] += (float)(inverse[b] * ((double)dy[b * W + c] * gain[c] - mean -
                                               hat[b * W + c] * slope));
  }
}

static void gather_scaled(ptrdiff_t count, ptrdiff_t W, const int32_t *rows, const float *gates,
                          const float *x, const float *y, float *scaled, float *dots) {
  for (ptrdiff_t s = 0; s < count; s++) {
    const float *row = x + rows[s] * W;
    double sum = 0;
    for (ptrdiff_t c = 0; c < W; c++) {
      sum += (double)row[c] * y[s * W + c];
      scaled[s * W + c] = gates[s] * row[c];
    }
    dots[s] = (float)sum;
  }
}
