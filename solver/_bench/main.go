// Command bench measures what a step costs, against gorgonia.AdamSolver and
// against a C program of the same two passes. Everything that is compared runs
// by turns in several rounds; a ratio is the median of the rounds' ratios.
// Run it with make bench, in the directory solver.
package main

import (
	"bytes"
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

// measurements are ns a parameter (of allocations, a step), a number a round,
// by name: Funnel/65536, C raw/65536, portable Funnel/65536 ….
type measurements map[string][]float64

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench: ")
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	m := measurements{}
	var output bytes.Buffer
	if err := m.measure(dir, &output); err != nil {
		os.RemoveAll(dir)
		log.Fatal(err)
	}
	m.table()
	fmt.Printf("\n%s", output.Bytes())
}

func (m measurements) measure(dir string, output *bytes.Buffer) error {
	native, portable, c := filepath.Join(dir, "native"), filepath.Join(dir, "portable"), filepath.Join(dir, "c")
	for _, build := range [][]string{
		{"go", "test", "-c", "-o", native, "."},
		{"go", "test", "-c", "-tags", "purego", "-o", portable, "."},
		{"gcc", "-O3", "-march=native", "-ffast-math", "-o", c, "_bench/c/step.c", "-lm"},
	} {
		if out, err := exec.Command(build[0], build[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(build, " "), err, out)
		}
	}
	for range rounds {
		for _, n := range []string{"65536", "1048576"} {
			if err := m.c(c, n); err != nil {
				return err
			}
		}
		for _, b := range []struct{ prefix, program, cpus, filter string }{
			{"", native, "1", "Step"},
			{"2 cores ", native, "2", "Step/^Funnel$/(1048576|4194304)"},
			{"1 core ", native, "1", "Step/^Funnel$/(1048576|4194304)"},
			{"portable ", portable, "1", "Step/^(Funnel|Adam)$/65536"},
		} {
			if err := m.benchmark(b.prefix, b.program, b.cpus, b.filter, output); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m measurements) c(program, n string) error {
	out, err := exec.Command(program, n, "0.3").Output()
	if err != nil {
		return err
	}
	fields := strings.Fields(string(out))
	for i, signal := range []string{"normalized", "raw"} {
		if err := m.add("C "+signal+"/"+n, fields[i]); err != nil {
			return err
		}
	}
	return nil
}

func (m measurements) benchmark(prefix, program, cpus, filter string, output *bytes.Buffer) error {
	out, err := exec.Command(program, "-test.run", "^$", "-test.bench", filter, "-test.benchtime", "0.3s", "-test.cpu", cpus).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	if prefix == "" {
		output.Write(out)
	}
	for _, line := range strings.Split(string(out), "\n") {
		f := strings.Fields(line)
		if len(f) == 0 || !strings.HasPrefix(f[0], "BenchmarkStep/") {
			continue
		}
		name := strings.TrimSuffix(strings.TrimPrefix(f[0], "BenchmarkStep/"), "-"+cpus)
		for i, unit := range f {
			switch unit {
			case "ns/parameter":
				err = m.add(prefix+name, f[i-1])
			case "allocs/op":
				err = m.add(prefix+name+" allocations", f[i-1])
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (m measurements) add(name, number string) error {
	x, err := strconv.ParseFloat(number, 64)
	m[name] = append(m[name], x)
	return err
}

func median(xs []float64) float64 {
	xs = slices.Clone(xs)
	slices.Sort(xs)
	return xs[len(xs)/2]
}

// ratio is the median over the rounds of a/b.
func (m measurements) ratio(a, b string) float64 {
	var rs []float64
	for i := range m[a] {
		rs = append(rs, m[a][i]/m[b][i])
	}
	return median(rs)
}

const mlpParameters = 109_386

func (m measurements) table() {
	fmt.Printf("%-52s %12s %12s %8s %8s\n", "float32, one core unless it says two", "ns/parameter", "against", "ratio", "target")
	row := func(what, a, b string, over, under string, target string) {
		fmt.Printf("%-52s %12.3f %12.3f %7.2fx %8s\n", what, median(m[a]), median(m[b]), m.ratio(over, under), target)
	}
	for _, n := range []string{"65536", "262144", "1048576"} {
		row("Funnel, against Adam, "+n, "Funnel/"+n, "Adam/"+n, "Adam/"+n, "Funnel/"+n, ">= 12")
	}
	for _, n := range []string{"65536", "262144", "1048576"} {
		row("Funnel with raw signals, against Adam, "+n, "FunnelRaw/"+n, "Adam/"+n, "Adam/"+n, "FunnelRaw/"+n, ">= 8")
	}
	for _, n := range []string{"65536", "262144", "1048576"} {
		row("FunnelAdam, against Adam, "+n, "FunnelAdam/"+n, "Adam/"+n, "Adam/"+n, "FunnelAdam/"+n, ">= 8")
	}
	for _, n := range []string{"1048576", "4194304"} {
		row("Funnel on two cores, against one, "+n, "2 cores Funnel/"+n, "1 core Funnel/"+n, "1 core Funnel/"+n, "2 cores Funnel/"+n, ">= 1.5")
	}
	for _, n := range []string{"65536", "1048576"} {
		row("Funnel, against C, "+n, "Funnel/"+n, "C normalized/"+n, "Funnel/"+n, "C normalized/"+n, "<= 1.3")
		row("Funnel with raw signals, against C, "+n, "FunnelRaw/"+n, "C raw/"+n, "FunnelRaw/"+n, "C raw/"+n, "<= 1.3")
	}
	row("Funnel, portable, against Adam, 65536", "portable Funnel/65536", "portable Adam/65536", "portable Adam/65536", "portable Funnel/65536", ">= 2")
	fmt.Printf("%-52s %9.4f ms %31s\n", "Funnel, the bundled MLP, a step", median(m["Funnel/mlp"])*mlpParameters/1e6, "<= 0.1 ms")
	for _, s := range []string{"Funnel/mlp", "FunnelRaw/1048576"} {
		fmt.Printf("%-52s %12.0f %31s\n", s+", allocations in a step", median(m[s+" allocations"]), "0")
	}
}
