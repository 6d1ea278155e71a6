// Command asm generates the AVX2 passes: avx2_amd64.s and its declarations,
// avx2_amd64.go. Run it with make asm.
//
// The functions are named after those of package kernel that say what they
// compute. What is an expression there is a few vector instructions here, on 8
// float32 or twice 4 float64 at a time. Products are rounded before they are
// added to anything: no fused multiply-add, except where they are exact.
package main

import (
	"fmt"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/buildtags"
)

// float is one of the two types of elements.
type float struct{ bits, bytes int }

func main() {
	Constraint(buildtags.Not("purego").ToConstraint())
	for _, f := range []float{{32, 4}, {64, 8}} {
		f.objective()
		f.measure()
		f.measureAdam()
		f.measureAverage()
		f.measureAverageAdam()
		f.updateAverage()
		f.rawGains()
		for _, raw := range []bool{false, true} {
			f.updateFunnel(raw)
			f.updateAdam(raw)
		}
		f.flush()
	}
	cpuid()
	xgetbv()
	Generate()
}

// function begins one of the functions. Its parameters are Go's, with FLOAT for
// the type of an element.
func (f float) function(name, parameters, doc string) {
	parameters = strings.ReplaceAll(parameters, "FLOAT", fmt.Sprintf("float%d", f.bits))
	parameters = strings.ReplaceAll(parameters, "UINT", fmt.Sprintf("uint%d", f.bits))
	TEXT(fmt.Sprintf("%s%dAVX2", name, f.bits), NOSPLIT, "func("+parameters+")")
	Doc(doc)
	Pragma("noescape")
}

// perVector is the number of elements in a vector.
func (f float) perVector() int { return 32 / f.bytes }

// The places of fields, counted in elements. Those of Objective:
const (
	l1 = iota
	l2
	perBatch
	clip
)

// Those of Gain.
const (
	gainRate = iota
	gainUp
	gainDown
	gainMin
	gainMax
	gainDecay
	gainSettled
	_ // whether signals are raw
	gainEnd
)

// Those that FunnelStep and AdamStep have in common: an Objective, a Gain.
const (
	gain   = clip + 1
	others = gain + gainEnd
)

// Those of FunnelStep alone.
const (
	learnRate = others + iota
	momentum
	gradientDecay
	gradientWeight
	scale
)

// Those of AdamStep alone.
const (
	beta1 = others + iota
	beta2
	weight1
	weight2
	direction // two: see AdamDirection
	_
	rate
)
