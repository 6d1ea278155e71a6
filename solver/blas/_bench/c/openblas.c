/* Times OpenBLAS: one line a product, as the Go program beside it prints them.
   Arguments: the number of threads, seconds a product, then for each product its
   name and S or D, tA, tB, m, n, k. */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static CBLAS_TRANSPOSE transposition(const char *s) { return *s == 'T' ? CblasTrans : CblasNoTrans; }

int main(int argc, char **argv) {
	openblas_set_num_threads(atoi(argv[1]));
	double seconds = atof(argv[2]);
	for (int i = 3; i + 6 < argc; i += 7) {
		int d = *argv[i + 1] == 'D', m = atoi(argv[i + 4]), n = atoi(argv[i + 5]), k = atoi(argv[i + 6]);
		CBLAS_TRANSPOSE ta = transposition(argv[i + 2]), tb = transposition(argv[i + 3]);
		int lda = ta == CblasTrans ? m : k, ldb = tb == CblasTrans ? k : n;
		void *a = aligned_alloc(64, (m * k * 8 + 63) / 64 * 64), *b = aligned_alloc(64, (k * n * 8 + 63) / 64 * 64), *c = aligned_alloc(64, (m * n * 8 + 63) / 64 * 64);
		for (int j = 0; j < m * k; j++) d ? (((double *)a)[j] = j % 7 + 1) : (((float *)a)[j] = j % 7 + 1);
		for (int j = 0; j < k * n; j++) d ? (((double *)b)[j] = j % 5 + 1) : (((float *)b)[j] = j % 5 + 1);
		int calls = 1 + 2e5 / (1.0 * m * n * k);
		double best = 1e18, end = now() + seconds * 1e9;
		while (now() < end) {
			double start = now();
			for (int j = 0; j < calls; j++)
				if (d)
					cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, 1, a, lda, b, ldb, 0, c, n);
				else
					cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, 1, a, lda, b, ldb, 0, c, n);
			double ns = (now() - start) / calls;
			if (ns < best) best = ns;
		}
		printf("%s %g\n", argv[i], best);
		free(a), free(b), free(c);
	}
}
