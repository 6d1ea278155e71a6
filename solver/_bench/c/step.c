// What a step of Funnel costs in C: the plain loops of its two passes, with
// gcc -O3 -march=native -ffast-math to make of them what it can. The sums are
// of double, as accurate as Funnel's.
//
//   step N SECONDS    prints ns a parameter: normalized raw
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct { double dot, velocity, gradient; float max_gradient, max_value; } sums;
typedef struct { float eta, mu, beta, share, scale, rate, up, down, low, high, decay; } coefficients;

__attribute__((noinline)) static sums measure(const float *restrict value, const float *restrict gradient, const float *restrict velocity, int n) {
	sums s = {0};
	for (int i = 0; i < n; i++) {
		double v = velocity[i], g = gradient[i];
		s.dot += v * g;
		s.velocity += v * v;
		s.gradient += g * g;
		float a = fabsf(gradient[i]), b = fabsf(value[i]);
		s.max_gradient = a > s.max_gradient ? a : s.max_gradient;
		s.max_value = b > s.max_value ? b : s.max_value;
	}
	return s;
}

#define UPDATE(name, FACTOR)                                                                              \
	__attribute__((noinline)) static void name(float *restrict value, float *restrict gradient,           \
	        float *restrict velocity, float *restrict average, float *restrict gain, int n, coefficients c) { \
		for (int i = 0; i < n; i++) {                                                                     \
			float g = gradient[i], m = average[i], x = m * g;                                             \
			float p = (gain[i] + c.decay * (1 - gain[i])) * (FACTOR);                                     \
			p = p < c.low ? c.low : p;                                                                    \
			p = p > c.high ? c.high : p;                                                                  \
			gain[i] = p;                                                                                  \
			float v = c.mu * velocity[i] + c.eta * (p * g);                                               \
			velocity[i] = v;                                                                              \
			average[i] = c.beta * m + c.share * g;                                                        \
			value[i] -= c.scale * v;                                                                      \
			gradient[i] = 0;                                                                              \
		}                                                                                                 \
	}

UPDATE(update_normalized, x > 0 ? c.up : x < 0 ? c.down : 1.0f)
UPDATE(update_raw, expf(c.rate * x))

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + 1e-9 * t.tv_nsec;
}

int main(int argc, char **argv) {
	int n = argc > 1 ? atoi(argv[1]) : 65536;
	double seconds = argc > 2 ? atof(argv[2]) : 0.5;
	float *a[6];
	for (int k = 0; k < 6; k++) a[k] = aligned_alloc(64, sizeof(float) * (size_t)((n + 15) / 16 * 16));
	float *value = a[0], *gradient = a[1], *velocity = a[2], *average = a[3], *gain = a[4], *fresh = a[5];
	for (int i = 0; i < n; i++) {
		fresh[i] = (rand() / (float)RAND_MAX - 0.5f) * 4e-3f;
		value[i] = velocity[i] = average[i] = 0;
		gain[i] = 1;
	}
	coefficients c = {0.001f, 0.9f, 0.9f, 0.1f, 1, 0.02f, 1.020201f, 0.980199f, 0.01f, 100, 0.01f};
	for (int raw = 0; raw < 2; raw++) {
		double spent = 0, start = now();
		long steps = 0;
		volatile double sink = 0;
		while (now() - start < seconds || steps < 3) {
			memcpy(gradient, fresh, sizeof(float) * (size_t)n);
			double t = now();
			sums s = measure(value, gradient, velocity, n);
			sink += s.dot;
			c.scale = s.max_gradient + s.max_value < 1e30f ? 1 : 0;
			if (raw) update_raw(value, gradient, velocity, average, gain, n, c);
			else update_normalized(value, gradient, velocity, average, gain, n, c);
			spent += now() - t;
			steps++;
		}
		printf("%.4f ", 1e9 * spent / steps / n);
	}
	printf("\n");
	return 0;
}
