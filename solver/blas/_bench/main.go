// Command bench measures matrix products against gonum's and OpenBLAS's, at the
// sizes of the bundled network's training step and at 512, and such a step against
// PyTorch's. Everything that is
// compared runs by turns in several rounds, and of each the fastest call of a
// moment counts; a ratio is the median of the rounds' ratios. Run it with make
// bench, in the directory solver/blas. OpenBLAS needs gcc and libopenblas-dev, and
// PyTorch python3-torch.
package main

import (
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const rounds = 5

// seconds a product is measured for in a round.
const seconds = "0.03"

// product is C = AB of a precision, S or D, with A and B transposed (T) or not (N).
type product struct {
	name, precision string
	tA, tB          string
	m, n, k         int
}

func (p product) flop() float64 { return 2 * float64(p.m) * float64(p.n) * float64(p.k) }

func (p product) arguments() []string {
	return []string{p.name, p.precision, p.tA, p.tB, strconv.Itoa(p.m), strconv.Itoa(p.n), strconv.Itoa(p.k)}
}

// products are those of a step of the network 784-128-64-10 with a batch of 128
// (x is what goes into a layer, w its weights, dz the gradient of what comes out),
// and 512³.
func products() (all []product) {
	for _, precision := range []string{"S", "D"} {
		for _, p := range []product{
			{"x1·w1", "", "N", "N", 128, 128, 784},
			{"x2·w2", "", "N", "N", 128, 64, 128},
			{"x3·w3", "", "N", "N", 128, 10, 64},
			{"x1ᵀ·dz1", "", "T", "N", 784, 128, 128},
			{"x2ᵀ·dz2", "", "T", "N", 128, 64, 128},
			{"x3ᵀ·dz3", "", "T", "N", 64, 10, 128},
			{"dz2·w2ᵀ", "", "N", "T", 128, 128, 64},
			{"dz3·w3ᵀ", "", "N", "T", 128, 64, 10},
			{"512³", "", "N", "N", 512, 512, 512},
		} {
			p.name, p.precision = precision+"gemm/"+p.name, precision
			all = append(all, p)
		}
	}
	return all
}

// measurements are ns a product, a number a round, by what computes it and name.
type measurements map[string][]float64

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench: ")
	if len(os.Args) > 1 {
		measureHere(os.Args[1])
		return
	}
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	m := measurements{}
	err = m.measure(dir)
	os.RemoveAll(dir)
	if err != nil {
		log.Fatal(err)
	}
	m.table()
}

func (m measurements) measure(dir string) error {
	native, portable, c := filepath.Join(dir, "native"), filepath.Join(dir, "portable"), filepath.Join(dir, "c")
	for _, build := range [][]string{{"go", "build", "-o", native, "./_bench"}, {"go", "build", "-tags", "purego", "-o", portable, "./_bench"}} {
		if out, err := exec.Command(build[0], build[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(build, " "), err, out)
		}
	}
	openBLAS := []string{c, "1", seconds}
	for _, p := range products() {
		openBLAS = append(openBLAS, p.arguments()...)
	}
	if out, err := exec.Command("gcc", "-O2", "-o", c, "_bench/c/openblas.c", "-lopenblas").CombinedOutput(); err != nil {
		fmt.Printf("without OpenBLAS: %v %s\n", err, out)
		openBLAS = nil
	}
	for range rounds {
		for _, run := range []struct {
			name        string
			environment []string
			command     []string
		}{
			{"gonum", []string{"GOMAXPROCS=1"}, []string{native, "gonum"}},
			{"ours", []string{"GOMAXPROCS=1"}, []string{native, "ours"}},
			{"AVX2", []string{"GOMAXPROCS=1", "GODEBUG=cpu.avx512f=off"}, []string{native, "ours"}},
			{"two cores", []string{"GOMAXPROCS=2"}, []string{native, "ours"}},
			{"portable", []string{"GOMAXPROCS=1"}, []string{portable, "ours"}},
			{"OpenBLAS AVX2", []string{"OPENBLAS_CORETYPE=Haswell"}, openBLAS},
			{"OpenBLAS", nil, openBLAS},
			{"step", []string{"GOMAXPROCS=1"}, []string{native, "step"}},
			{"step, two cores", []string{"GOMAXPROCS=2"}, []string{native, "step"}},
			{"PyTorch", nil, pyTorch("1")},
			{"PyTorch, two threads", nil, pyTorch("2")},
		} {
			if err := m.run(run.name, run.environment, run.command); err != nil {
				return err
			}
		}
	}
	return nil
}

// pyTorch is the command that times a step in PyTorch, if there is one.
func pyTorch(threads string) []string {
	const python = "/usr/bin/python3" // Debian's, which has Debian's python3-torch
	if exec.Command(python, "-c", "import torch").Run() != nil {
		return nil
	}
	return []string{python, "_bench/step.py", threads}
}

// run adds what a command prints: lines of a name and a number.
func (m measurements) run(name string, environment, command []string) error {
	if len(command) == 0 {
		return nil
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), environment...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	fields := strings.Fields(string(out))
	for i := 0; i+1 < len(fields); i += 2 {
		x, err := strconv.ParseFloat(fields[i+1], 64)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		m[name+" "+fields[i]] = append(m[name+" "+fields[i]], x)
	}
	return nil
}

func median(xs []float64) float64 {
	xs = slices.Clone(xs)
	slices.Sort(xs)
	return xs[len(xs)/2]
}

// ratio is how many times as fast a is as b.
func (m measurements) ratio(a, b, product string) string {
	var rs []float64
	for i, x := range m[a+" "+product] {
		if ys := m[b+" "+product]; i < len(ys) {
			rs = append(rs, ys[i]/x)
		}
	}
	if len(rs) == 0 {
		return "—"
	}
	return fmt.Sprintf("%.2f", median(rs))
}

func (m measurements) table() {
	columns := []struct{ title, over, under string }{
		{"ours/gonum", "ours", "gonum"},
		{"AVX2/gonum", "AVX2", "gonum"},
		{"portable/gonum", "portable", "gonum"},
		{"AVX2/OpenBLAS AVX2", "AVX2", "OpenBLAS AVX2"},
		{"ours/OpenBLAS", "ours", "OpenBLAS"},
		{"two cores/one", "two cores", "ours"},
	}
	fmt.Printf("%-16s %13s %9s", "one core", "m n k", "GFLOP/s")
	for _, c := range columns {
		fmt.Printf("  %s", c.title)
	}
	fmt.Println()
	for _, p := range products() {
		fmt.Printf("%-16s %13s %9.1f", p.name, fmt.Sprintf("%d %d %d", p.m, p.n, p.k), p.flop()/median(m["ours "+p.name]))
		for _, c := range columns {
			fmt.Printf("  %*s", len(c.title), m.ratio(c.over, c.under, p.name))
		}
		fmt.Println()
	}
	for _, r := range []struct{ name, ours, theirs, target string }{
		{"one core against one thread", "step", "PyTorch", "1.25"},
		{"two cores against two threads", "step, two cores", "PyTorch, two threads", "1.00"},
	} {
		fmt.Printf("a training step of 784-128-64-10, batch 128, FunnelAdam: %.0f µs, of PyTorch's with Adam %s, %s (target at most %s)\n",
			median(m[r.ours+" step"])/1e3, m.ratio(r.theirs, r.ours, "step"), r.name, r.target)
	}
	fmt.Println("targets: Sgemm at least 3.5 times gonum's, Dgemm 3 times; portable 0.5; at 512³ 0.7 of OpenBLAS with AVX2, and two cores 1.8 times one")
}
