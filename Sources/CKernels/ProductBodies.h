// The product of matrices as they lie; part of KernelBodies.h.

/// sums[r, c] = Σ_i a[r·row_step + i·inner_step]·b[i, c] for `rows` rows and `vectors`·16 columns.
INLINE void sum_products(int rows, int vectors, ptrdiff_t count, const float *a, ptrdiff_t row_step,
                         ptrdiff_t inner_step, const float *b, ptrdiff_t ldb,
                         vf sums[tile_rows][tile_vectors]) {
  // Rows of b lie too far apart for the CPU to foresee which come next.
  enum { ahead = 4 };
  for (ptrdiff_t i = 0; i < count; i++, a += inner_step, b += ldb) {
    UNROLL for (int v = 0; v < vectors; v++) __builtin_prefetch(b + ahead * ldb + v * lanes);
    UNROLL for (int r = 0; r < rows; r++) {
      vf factor = broadcast(a[r * row_step]);
      UNROLL for (int v = 0; v < vectors; v++) sums[r][v] += factor * load(b + v * lanes);
    }
  }
}

/// c (+)= those sums, of which `columns` are stored.
INLINE void product_tile(int rows, int vectors, ptrdiff_t columns, ptrdiff_t count, const float *a,
                         ptrdiff_t row_step, ptrdiff_t inner_step, const float *b, ptrdiff_t ldb,
                         float *c, ptrdiff_t ldc, int adds) {
  vf sums[tile_rows][tile_vectors] = {};
  sum_products(rows, vectors, count, a, row_step, inner_step, b, ldb, sums);
  UNROLL for (int r = 0; r < rows; r++)
    UNROLL for (int v = 0; v < vectors; v++) {
      float *target = c + r * ldc + v * lanes;
      ptrdiff_t left = columns - v * lanes;
      if (left >= lanes)
        store(target, adds ? load(target) + sums[r][v] : sums[r][v]);
      else
        store_part(target, adds ? load_part(target, left, 0) + sums[r][v] : sums[r][v], left);
    }
}

/// A tile of up to `tile_rows` rows and `tile_columns` columns.
static void add_part(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t count, const float *a,
                     ptrdiff_t row_step, ptrdiff_t inner_step, const float *b, ptrdiff_t ldb,
                     float *c, ptrdiff_t ldc, int adds) {
  switch (((columns + lanes - 1) / lanes) * 8 + rows) {
#define TILE(vectors, rows)                                                                     \
  case vectors * 8 + rows:                                                                      \
    product_tile(rows, vectors, columns, count, a, row_step, inner_step, b, ldb, c, ldc, adds); \
    break;
#define TILES(vectors)                                                                    \
  TILE(vectors, 1) TILE(vectors, 2) TILE(vectors, 3) TILE(vectors, 4) TILE(vectors, 5) \
  TILE(vectors, 6)
    TILES(1) TILES(2) TILES(3) TILES(4)
#undef TILES
#undef TILE
  }
}

/// packed[(r / 6)·6·count + i·6 + r % 6] = a[r + i·step]: tile after tile of up to 6 rows.
static void pack_tiles(ptrdiff_t rows, ptrdiff_t count, const float *a, ptrdiff_t step,
                       float *packed) {
  for (ptrdiff_t i = 0; i < count; i++, a += step)
    for (ptrdiff_t row = 0; row < rows; row += tile_rows) {
      float *target = packed + row * count + i * tile_rows;
      if (rows - row >= tile_rows)
        memcpy(target, a + row, tile_rows * sizeof *a);
      else
        for (ptrdiff_t r = 0; row + r < rows; r++) target[r] = a[row + r];
    }
}

static void product(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const float *a, ptrdiff_t row_step,
                    ptrdiff_t inner_step, const float *b, ptrdiff_t ldb, float *c, ptrdiff_t ldc,
                    int adds) {
  // So many rows of b that a panel of them, 64 KB, is near while the rows of a pass by; and so many
  // rows of a, 66 KB, to be packed at a time.
  enum { most = 256, strip = 11 * tile_rows };
  float packed[most * strip];
  // A tall transposed a would be fetched from afar, a page for each element of a tile, for every
  // panel of b anew.
  int packs = row_step == 1 && inner_step > 1 && k > most;
  for (ptrdiff_t i = 0; i < k; i += most) {
    ptrdiff_t count = k - i < most ? k - i : most;
    for (ptrdiff_t top = 0; top < m; top += strip) {
      ptrdiff_t height = m - top < strip ? m - top : strip;
      const float *rows = a + top * row_step + i * inner_step;
      if (packs) pack_tiles(height, count, rows, inner_step, packed);
      for (ptrdiff_t column = 0; column < n; column += tile_columns)
        for (ptrdiff_t row = 0; row < height; row += tile_rows)
          add_part(height - row < tile_rows ? height - row : tile_rows,
                   n - column < tile_columns ? n - column : tile_columns, count,
                   packs ? packed + row * count : rows + row * row_step, packs ? 1 : row_step,
                   packs ? tile_rows : inner_step, b + i * ldb + column, ldb,
                   c + (top + row) * ldc + column, ldc, adds || i > 0);
    }
  }
}
