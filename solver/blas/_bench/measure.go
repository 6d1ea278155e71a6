package main

import (
	"fmt"
	"log"
	"math/rand/v2"
	"runtime"
	"strconv"
	"time"

	"github.com/seed1e560811/funnel/mnist"
	"github.com/seed1e560811/funnel/solver"
	ours "github.com/seed1e560811/funnel/solver/blas"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// measureHere prints, for every product, the ns of the fastest call, or those of
// a training step.
func measureHere(implementation string) {
	if implementation == "step" {
		measureStep()
		return
	}
	var i interface {
		blas.Float32
		blas.Float64
	} = gonum.Implementation{}
	if implementation == "ours" {
		i = ours.Implementation{}
	}
	moment, err := strconv.ParseFloat(seconds, 64)
	if err != nil {
		log.Fatal(err)
	}
	runtime.LockOSThread() // as Gorgonia's machines do
	for _, p := range products() {
		call := caller(i.Sgemm, p)
		if p.precision == "D" {
			call = caller(i.Dgemm, p)
		}
		calls := 1 + int(2e5/p.flop()*2)
		best := time.Hour
		for end := time.Now().Add(time.Duration(moment * 1e9)); time.Now().Before(end); {
			start := time.Now()
			for range calls {
				call()
			}
			best = min(best, time.Since(start))
		}
		fmt.Printf("%s %g\n", p.name, float64(best.Nanoseconds())/float64(calls))
	}
}

func caller[T float32 | float64](gemm func(tA, tB blas.Transpose, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int), p product) func() {
	a, b, c := make([]T, p.m*p.k), make([]T, p.k*p.n), make([]T, p.m*p.n)
	for i := range a {
		a[i] = T(i%7) + 1 // gonum would skip zeros
	}
	for i := range b {
		b[i] = T(i%5) + 1
	}
	tA, tB, lda, ldb := blas.NoTrans, blas.NoTrans, p.k, p.n
	if p.tA == "T" {
		tA, lda = blas.Trans, p.m
	}
	if p.tB == "T" {
		tB, ldb = blas.Trans, p.k
	}
	return func() { gemm(tA, tB, p.m, p.n, p.k, 1, a, lda, b, ldb, 0, c, p.n) }
}

// measureStep prints the median of the ns that a training step of the bundled
// network takes.
func measureStep() {
	network, err := mnist.NewMLP([]int{128, 64}, 128, 1)
	if err != nil {
		log.Fatal(err)
	}
	s, random := solver.NewFunnelAdam(), rand.New(rand.NewPCG(1, 1))
	images, labels := make([]float32, 128*mnist.Pixels), make([]byte, 128)
	for i := range images {
		images[i] = random.Float32()
	}
	for i := range labels {
		labels[i] = byte(i % mnist.Classes)
	}
	var times []float64
	for range 1000 {
		start := time.Now()
		if err := network.Run(images, labels); err != nil {
			log.Fatal(err)
		}
		if err := s.Step(network.Model()); err != nil {
			log.Fatal(err)
		}
		times = append(times, float64(time.Since(start).Nanoseconds()))
	}
	fmt.Println("step", median(times))
}
