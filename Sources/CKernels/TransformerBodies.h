// Kernels of a transformer's parts; part of KernelBodies.h.

INLINE vf load_left(const float *p, ptrdiff_t left, float fill) {
  return left >= lanes ? load(p) : load_part(p, left, fill);
}

INLINE void store_left(float *p, vf v, ptrdiff_t left) {
  if (left >= lanes) store(p, v); else store_part(p, v, left);
}

/// GELU and its derivative: Φ(−|x|) = e^(−x²/2)·t·Q(t) with t = 1/(1 + 0.33·|x|), Q a polynomial
/// fitted for |x| ≤ 14 (relative error 2e-8; 3.5e-7 in float32).
INLINE void gelu_of(vf x, vf *value, vf *slope) {
  vf power = exponential(-0.5f * x * x);
  vf t = 1.0f / (1.0f + 0.33f * maximum(x, -x));
  vf q = broadcast(-0.010487882420420647f);
  q = q * t + 0.03282296285033226f;
  q = q * t + 0.0051324861124157906f;
  q = q * t + -0.12118030339479446f;
  q = q * t + 0.11284846812486649f;
  q = q * t + -0.0017971048364415765f;
  q = q * t + 0.10472878813743591f;
  q = q * t + 0.11434083431959152f;
  q = q * t + 0.13195383548736572f;
  q = q * t + 0.13163790106773376f;
  vf tail = power * (q * t);
  vf share = choose(x < (vf){}, tail, 1.0f - tail);
  *value = x * share;
  *slope = share + x * (power * 0.3989422804014327f);  // φ(x) = e^(−x²/2)/√(2π)
}

static void gelu(ptrdiff_t B, ptrdiff_t W, const float *bias, float *z, float *h) {
  for (ptrdiff_t b = 0; b < B; b++, z += W, h += W)
    for (ptrdiff_t c = 0; c < W; c += lanes) {
      ptrdiff_t left = W - c;
      vf value, slope;
      gelu_of(load_left(z + c, left, 0) + load_left(bias + c, left, 0), &value, &slope);
      store_left(h + c, value, left);
      store_left(z + c, slope, left);
    }
}

static void log_sum_exp(ptrdiff_t B, ptrdiff_t C, const float *x, ptrdiff_t ldx, float scale,
                        float *sums) {
  const float lowest = -3.40282347e38f;
  for (ptrdiff_t b = 0; b < B; b++, x += ldx) {
    ptrdiff_t whole = C / lanes * lanes;
    vf tail = whole < C ? load_part(x + whole, C - whole, 0) * scale : (vf){};
    for (ptrdiff_t i = C - whole; i < lanes; i++) tail[i] = lowest;
    vf tops = tail;
    for (ptrdiff_t c = 0; c < whole; c += lanes) tops = maximum(load(x + c) * scale, tops);
    float top = max_lanes(tops);
    vf powers = exponential(tail - top);
    for (ptrdiff_t c = 0; c < whole; c += lanes) powers += exponential(load(x + c) * scale - top);
    sums[b] = top + logf(sum_lanes(powers));
  }
}

static void softmax(ptrdiff_t B, ptrdiff_t C, const float *x, ptrdiff_t ldx, float scale,
                    const float *sums, float *p, ptrdiff_t ldp) {
  for (ptrdiff_t b = 0; b < B; b++, x += ldx, p += ldp)
    for (ptrdiff_t c = 0; c < C; c += lanes)
      store_left(p + c, exponential(load_left(x + c, C - c, 0) * scale - sums[b]), C - c);
}

static void softmax_gradient(ptrdiff_t B, ptrdiff_t C, const float *p, ptrdiff_t ldp, float scale,
                             float *g, ptrdiff_t ldg) {
  for (ptrdiff_t b = 0; b < B; b++, p += ldp, g += ldg) {
    vf products = {};
    for (ptrdiff_t c = 0; c < C; c += lanes)
      products += load_left(p + c, C - c, 0) * load_left(g + c, C - c, 0);
    float mean = sum_lanes(products);
    for (ptrdiff_t c = 0; c < C; c += lanes) {
      vf share = load_left(p + c, C - c, 0);
      store_left(g + c, scale * share * (load_left(g + c, C - c, 0) - mean), C - c);
    }
  }
}

static void layer_norm(ptrdiff_t B, ptrdiff_t W, const float *x, ptrdiff_t ldx, const float *gain,
                       const float *offset, float *hat, float *inverse, float *y) {
  for (ptrdiff_t b = 0; b < B; b++, x += ldx, hat += W, y += W) {
    vf sums = {};
    for (ptrdiff_t c = 0; c < W; c += lanes) sums += load_left(x + c, W - c, 0);
    float mean = sum_lanes(sums) / (float)W;
    vf squares = {};
    for (ptrdiff_t c = 0; c < W; c += lanes) {
      vf distance = load_left(x + c, W - c, mean) - mean;
      squares += distance * distance;
    }
    float scale = 1 / sqrtf(sum_lanes(squares) / (float)W + excite_layer_norm_epsilon);
    inverse[b] = scale;
    for (ptrdiff_t c = 0; c < W; c += lanes) {
      ptrdiff_t left = W - c;
      vf normal = (load_left(x + c, left, 0) - mean) * scale;
      store_left(hat + c, normal, left);
      vf out = normal * load_left(gain + c, left, 0) + load_left(offset + c, left, 0);
      store_left(y + c, out, left);
    }
  }
}

static void layer_norm_gradient(ptrdiff_t B, ptrdiff_t W, const float *dy, const float *hat,
                                const float *inverse, const float *gain, float *dx, ptrdiff_t ldx,
                                float *dgain, float *doffset) {
  for (ptrdiff_t b = 0; b < B; b++, dy += W, hat += W, dx += ldx) {
    vf sums = {}, products = {};
    for (ptrdiff_t c = 0; c < W; c += lanes) {
      ptrdiff_t left = W - c;
      vf g = load_left(dy + c, left, 0), normal = load_left(hat + c, left, 0);
      store_left(dgain + c, load_left(dgain + c, left, 0) + g * normal, left);
      store_left(doffset + c, load_left(doffset + c, left, 0) + g, left);
      vf scaled = g * load_left(gain + c, left, 0);
      sums += scaled;
      products += scaled * normal;
    }
    float mean = sum_lanes(sums) / (float)W, slope = sum_lanes(products) / (float)W;
    for (ptrdiff_t c = 0; c < W; c += lanes) {
      ptrdiff_t left = W - c;
      vf scaled = load_left(dy + c, left, 0) * load_left(gain + c, left, 0);
      vf back = inverse[b] * (scaled - mean - load_left(hat + c, left, 0) * slope);
      store_left(dx + c, load_left(dx + c, left, 0) + back, left);
    }
  }
}

static void gather_scaled(ptrdiff_t count, ptrdiff_t W, const int32_t *rows, const float *gates,
                          const float *x, const float *y, float *scaled, float *dots) {
  for (ptrdiff_t s = 0; s < count; s++, y += W, scaled += W) {
    const float *row = x + rows[s] * W;
    vf sums = {};
    for (ptrdiff_t c = 0; c < W; c += lanes) {
      vf v = load_left(row + c, W - c, 0);
      sums += v * load_left(y + c, W - c, 0);
      store_left(scaled + c, gates[s] * v, W - c);
    }
    dots[s] = sum_lanes(sums);
  }
}
