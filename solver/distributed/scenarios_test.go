package distributed_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/seed1e560811/funnel/mnist"
	"github.com/seed1e560811/funnel/solver"
	"github.com/seed1e560811/funnel/solver/distributed"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// scenario is what every rank of a job does. It returns what must not depend on
// the run.
type scenario struct {
	name string
	run  func(*distributed.World) (fingerprint uint64, err error)
}

var scenarios = []scenario{
	// Added in another order, a gradient next to 0 may have another sign, to which gains
	// adapt, and while much is learned, what is a rounding at first grows.
	{"shares of a batch train as the whole batch does", sharesTrainAsTheWhole(1e-3)},
	{"shares train as the whole does, to rounding, where no gain follows signs", sharesTrainAsTheWhole(1e-5, solver.WithGainRate(0))},
	{"gradients are averaged in any layout and dtype", averages},
	{"parameters that share a gradient", sharedGradient},
	{"fifty tensors of odd sizes", fiftyTensors},
	{"NaN on one rank", nanOnOneRank},
	{"NaN on one rank, in a value that has lost a dimension", nanAfterReshape},
	{"no gradient on one rank", noGradientOnOneRank},
	{"no value on one rank", noValueOnOneRank},
	{"a gradient of another shape on one rank", mismatchOnOneRank},
	{"values of integers on one rank", integersOnOneRank},
	{"values that two parameters share on one rank", sharedValuesOnOneRank},
	{"models that differ", modelsThatDiffer},
	{"models that differ after a parameter that is there twice", differAfterOneTwice},
	{"Broadcast makes values equal", broadcastValues},
	{"replicas that drift apart", drift},
	{"a parameter that joins later", joinsLater},
	{"an inner solver that refuses", innerRefuses},
	{"sums and bytes", sumsAndBytes},
}

type param struct {
	name            string
	value, gradient gorgonia.Value
}

func (p *param) Name() string                  { return p.name }
func (p *param) Value() gorgonia.Value         { return p.value }
func (p *param) Grad() (gorgonia.Value, error) { return p.gradient, nil }

func model(ps ...*param) []gorgonia.ValueGrad {
	vgs := make([]gorgonia.ValueGrad, len(ps))
	for i, p := range ps {
		vgs[i] = p
	}
	return vgs
}

// random is a parameter whose values follow from its name, and whose gradients
// from its name and the rank.
func random[T float32 | float64](name string, rank int, shape ...int) *param {
	n := tensor.Shape(shape).TotalSize()
	h := fnv.New64a()
	h.Write([]byte(name))
	draw := func(seed uint64) *tensor.Dense {
		rng := rand.New(rand.NewPCG(h.Sum64(), seed))
		x := make([]T, n)
		for i := range x {
			x[i] = T(rng.NormFloat64())
		}
		return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(x))
	}
	return &param{name, draw(1000), draw(uint64(rank))}
}

// numbers is a tensor's elements in row-major order, the slow and sure way.
func numbers(v gorgonia.Value) (xs []float64) {
	d, ok := v.(*tensor.Dense)
	if !ok {
		switch v := v.(type) {
		case *gorgonia.F32:
			return []float64{float64(*v)}
		case *gorgonia.F64:
			return []float64{float64(*v)}
		}
	}
	index := make([]int, d.Dims())
	for range d.Shape().TotalSize() {
		x, err := d.At(index...)
		if err != nil {
			panic(err)
		}
		switch x := x.(type) {
		case float32:
			xs = append(xs, float64(x))
		case float64:
			xs = append(xs, x)
		}
		for k := len(index) - 1; k >= 0; k-- {
			if index[k]++; index[k] < d.Shape()[k] {
				break
			}
			index[k] = 0
		}
	}
	return xs
}

func fingerprint(m []gorgonia.ValueGrad) uint64 {
	h := fnv.New64a()
	for _, vg := range m {
		for _, x := range numbers(vg.Value()) {
			binary.Write(h, binary.LittleEndian, x)
		}
	}
	return h.Sum64()
}

// sameOnAll is an error if x is another on another rank.
func sameOnAll(w *distributed.World, x uint64) error {
	b, err := w.Broadcast(binary.LittleEndian.AppendUint64(nil, x))
	if err == nil && binary.LittleEndian.Uint64(b) != x {
		err = fmt.Errorf("rank %d is not as rank 0", w.Rank())
	}
	return err
}

const batch = 24

// digits are the images and labels of a step, of all ranks.
func digits(step int) (images []float32, labels []byte) {
	rng := rand.New(rand.NewPCG(7, uint64(step)))
	for range batch {
		label := byte(rng.IntN(mnist.Classes))
		labels = append(labels, label)
		for i := range mnist.Pixels {
			x := rng.Float32() / 2
			if i%mnist.Classes == int(label) {
				x += 0.5
			}
			images = append(images, x)
		}
	}
	return images, labels
}

// sharesTrainAsTheWhole compares both after 200 steps, and closely after the first three.
func sharesTrainAsTheWhole(tolerance float64, opts ...gorgonia.SolverOpt) func(*distributed.World) (uint64, error) {
	return func(w *distributed.World) (uint64, error) {
		share := batch / w.Size()
		part, err := mnist.NewMLP([]int{16}, share, 1)
		if err != nil {
			return 0, err
		}
		defer part.Close()
		whole, err := mnist.NewMLP([]int{16}, batch, 1)
		if err != nil {
			return 0, err
		}
		defer whole.Close()
		alone := solver.NewFunnel(opts...)
		s := distributed.New(solver.NewFunnel(opts...), w)
		s.CheckEvery = 50
		var losses [2]float64 // first and last
		for i := range 200 {
			images, labels := digits(i)
			from := w.Rank() * share
			if err := part.Run(images[from*mnist.Pixels:][:share*mnist.Pixels], labels[from:][:share]); err != nil {
				return 0, err
			}
			if err := whole.Run(images, labels); err != nil {
				return 0, err
			}
			if losses[1] = whole.Loss(); i == 0 {
				losses[0] = whole.Loss()
			}
			if err := errors.Join(s.Step(part.Model()), alone.Step(whole.Model())); err != nil {
				return 0, err
			}
			if i < 3 {
				if err := closeTo(part.Model(), whole.Model(), 1e-6); err != nil {
					return 0, fmt.Errorf("step %d: %w", i+1, err)
				}
			}
		}
		if err := s.Check(part.Model()); err != nil {
			return 0, err
		}
		if !(losses[1] < losses[0]/2) {
			return 0, fmt.Errorf("the loss went from %v to %v", losses[0], losses[1])
		}
		print := fingerprint(part.Model())
		return print, errors.Join(sameOnAll(w, print), closeTo(part.Model(), whole.Model(), tolerance))
	}
}

// closeTo compares models, relative to each parameter's length.
func closeTo(a, b []gorgonia.ValueGrad, tolerance float64) error {
	for i := range a {
		var difference, length float64
		y := numbers(b[i].Value())
		for k, x := range numbers(a[i].Value()) {
			difference += (x - y[k]) * (x - y[k])
			length += y[k] * y[k]
		}
		if d := math.Sqrt(difference / length); !(d <= tolerance) {
			return fmt.Errorf("parameter %d is %v away", i, d)
		}
	}
	return nil
}

// descent steps by the gradient itself: θ ← θ − g.
func descent() gorgonia.Solver {
	return solver.NewFunnel(gorgonia.WithLearnRate(1), gorgonia.WithMomentum(0), solver.WithGainRate(0), solver.WithScaleRate(0))
}

// stepped checks that a step goes down the average of what every rank's
// parameters, made by create, have as gradients.
func stepped(w *distributed.World, create func(rank int) []*param) (uint64, error) {
	own := create(w.Rank())
	if err := distributed.New(descent(), w).Step(model(own...)); err != nil {
		return 0, err
	}
	for i, p := range own {
		want := numbers(create(0)[i].value)
		for rank := range w.Size() {
			for k, g := range numbers(create(rank)[i].gradient) {
				want[k] -= g / float64(w.Size())
			}
		}
		for k, x := range numbers(p.value) {
			if math.Abs(x-want[k]) > 1e-6 {
				return 0, fmt.Errorf("%s is %v at %d, want %v", p.name, x, k, want[k])
			}
		}
		if slices.ContainsFunc(numbers(p.gradient), func(g float64) bool { return g != 0 }) {
			return 0, fmt.Errorf("%s: the gradient is not 0 after the step", p.name)
		}
	}
	print := fingerprint(model(own...))
	return print, sameOnAll(w, print)
}

func averages(w *distributed.World) (uint64, error) {
	return stepped(w, func(rank int) []*param {
		transposed, view := random[float32]("transposed", rank, 5, 3), random[float64]("view", rank, 6, 7)
		must(transposed.gradient.(*tensor.Dense).T())
		transposed.value = random[float32]("plain", rank, 3, 5).value
		window := []tensor.Slice{tensor.S(1, 4), tensor.S(2, 5)}
		view.value, view.gradient = sliced(view.value, window), sliced(view.gradient, window)
		return []*param{
			random[float32]("single", rank, 3, 4),
			transposed,
			random[float64]("double", rank, 2, 3, 4),
			{"scalar", gorgonia.NewF32(2), gorgonia.NewF32(float32(rank))},
			{"double scalar", gorgonia.NewF64(2), gorgonia.NewF64(float64(rank))},
			view,
		}
	})
}

// sharedGradient has what Gorgonia makes of a sum whose terms have no dual values.
func sharedGradient(w *distributed.World) (uint64, error) {
	return stepped(w, func(rank int) []*param {
		a, b, c := random[float32]("a", rank, 2, 3), random[float32]("b", rank, 2, 3), random[float32]("c", rank, 2, 3)
		b.gradient, c.gradient = a.gradient, a.gradient
		return []*param{a, b, c}
	})
}

func sliced(v gorgonia.Value, window []tensor.Slice) gorgonia.Value {
	d, err := v.(*tensor.Dense).Slice(window...)
	must(err)
	return d.(*tensor.Dense)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func fiftyTensors(w *distributed.World) (uint64, error) {
	return stepped(w, func(rank int) (ps []*param) {
		for i := range 50 {
			name, size := fmt.Sprint("p", i), 2*i*i%97+1
			if i%3 == 0 {
				ps = append(ps, random[float64](name, rank, size))
			} else {
				ps = append(ps, random[float32](name, rank, size, i%5+1))
			}
		}
		return ps
	})
}

// refused checks an error that last, the rank at fault, and all others return,
// and that nothing has changed. fault is given the parameters a and b, and is b's.
func refused(w *distributed.World, fault func(a, b *param), cause error, index []int) error {
	a, b := random[float32]("a", w.Rank(), 3), random[float32]("b", w.Rank(), 2, 3)
	last := w.Size() - 1
	if w.Rank() == last {
		fault(a, b)
	}
	m, s := model(a, b), distributed.New(descent(), w)
	before := fmt.Sprint(a.value, b.value, a.gradient, b.gradient)
	err := s.Step(m)
	var r *distributed.RankError
	var p *solver.ParameterError
	switch {
	case !errors.Is(err, cause):
		return fmt.Errorf("the step returned %v", err)
	case w.Size() > 1 && (!errors.As(err, &r) || r.Rank != last):
		return fmt.Errorf("the step does not blame rank %d: %v", last, err)
	case !errors.As(err, &p) || p.Name != "b" || p.Position != 1 || !slices.Equal(p.Index, index):
		return fmt.Errorf("the step does not blame b at %v: %v", index, err)
	case fmt.Sprint(a.value, b.value, a.gradient, b.gradient) != before:
		return errors.New("the step changed the model")
	}
	*b = *random[float32]("b", w.Rank(), 2, 3)
	if err := s.Step(m); err != nil {
		return fmt.Errorf("after the fault has been mended: %w", err)
	}
	return sameOnAll(w, fingerprint(m))
}

func nanOnOneRank(w *distributed.World) (uint64, error) {
	return 0, refused(w, func(_, b *param) { b.gradient.(*tensor.Dense).Float32s()[4] = float32(math.NaN()) }, solver.ErrNonFiniteGradient, []int{1, 1})
}

// nanAfterReshape gives the memory of a matrix as a vector.
func nanAfterReshape(w *distributed.World) (uint64, error) {
	b := random[float32]("b", w.Rank(), 3, 1)
	s := distributed.New(descent(), w)
	if err := s.Step(model(b)); err != nil {
		return 0, err
	}
	b.value = tensor.New(tensor.WithShape(3), tensor.WithBacking(b.value.(*tensor.Dense).Float32s()))
	b.gradient = random[float32]("b", w.Rank(), 3).gradient
	if w.Rank() == w.Size()-1 {
		b.gradient.(*tensor.Dense).Float32s()[2] = float32(math.NaN())
	}
	var p *solver.ParameterError
	if err := s.Step(model(b)); !errors.Is(err, solver.ErrNonFiniteGradient) || !errors.As(err, &p) || !slices.Equal(p.Index, []int{2}) {
		return 0, fmt.Errorf("the step returned %v", err)
	}
	return 0, nil
}

func noGradientOnOneRank(w *distributed.World) (uint64, error) {
	return 0, refused(w, func(_, b *param) { b.gradient = nil }, solver.ErrNoGradient, nil)
}

func noValueOnOneRank(w *distributed.World) (uint64, error) {
	return 0, refused(w, func(_, b *param) { b.value = nil }, solver.ErrNoValue, nil)
}

func mismatchOnOneRank(w *distributed.World) (uint64, error) {
	return 0, refused(w, func(_, b *param) { b.gradient = random[float32]("b", 0, 3, 2).gradient }, solver.ErrMismatch, nil)
}

func integersOnOneRank(w *distributed.World) (uint64, error) {
	return 0, refused(w, func(_, b *param) {
		b.value = tensor.New(tensor.WithShape(2, 3), tensor.WithBacking(make([]int, 6)))
		b.gradient = b.value
	}, solver.ErrUnsupported, nil)
}

func sharedValuesOnOneRank(w *distributed.World) (uint64, error) {
	return 0, refused(w, func(a, b *param) { b.value, b.gradient = a.value, a.gradient }, solver.ErrShared, nil)
}

func modelsThatDiffer(w *distributed.World) (uint64, error) {
	for _, c := range []struct {
		name   string
		change func(m []gorgonia.ValueGrad) []gorgonia.ValueGrad
		want   []string
	}{
		{"name", func(m []gorgonia.ValueGrad) []gorgonia.ValueGrad { m[1].(*param).name = "c"; return m }, []string{"number 2", `"c"`, `"b"`}},
		{"shape", func(m []gorgonia.ValueGrad) []gorgonia.ValueGrad {
			return model(m[0].(*param), random[float32]("b", w.Rank(), 3, 2))
		}, []string{"number 2", "(3, 2)", "(2, 3)"}},
		{"dtype", func(m []gorgonia.ValueGrad) []gorgonia.ValueGrad {
			return model(m[0].(*param), random[float64]("b", w.Rank(), 2, 3))
		}, []string{"number 2", "float64", "float32"}},
		{"value", func(m []gorgonia.ValueGrad) []gorgonia.ValueGrad {
			m[1].Value().(*tensor.Dense).Float32s()[5]++
			return m
		}, []string{"number 2", `"b"`, "other values", "Broadcast"}},
		{"order", func(m []gorgonia.ValueGrad) []gorgonia.ValueGrad { slices.Reverse(m); return m }, []string{"number 1", "order"}},
		{"fewer", func(m []gorgonia.ValueGrad) []gorgonia.ValueGrad { return m[:1] }, []string{"1 parameters", "rank 0 2"}},
	} {
		m := model(random[float32]("a", w.Rank(), 3), random[float32]("b", w.Rank(), 2, 3))
		last := w.Size() - 1
		if w.Rank() == last {
			m = c.change(m)
		}
		before := fingerprint(m)
		err := distributed.New(descent(), w).Step(m)
		if w.Size() == 1 {
			continue
		}
		if !errors.Is(err, distributed.ErrDiffer) || fingerprint(m) != before {
			return 0, fmt.Errorf("%s: the step returned %v", c.name, err)
		}
		for _, want := range append(c.want, fmt.Sprintf("rank %d", last)) {
			if !strings.Contains(err.Error(), want) {
				return 0, fmt.Errorf("%s: the error does not say %s: %v", c.name, want, err)
			}
		}
	}
	return 0, nil
}

func differAfterOneTwice(w *distributed.World) (uint64, error) {
	for _, shape := range []tensor.Shape{{2, 3}, {3, 2}} { // other values, another layout
		a, b := random[float32]("a", w.Rank(), 3), random[float32]("b", w.Rank(), 2, 3)
		if w.Rank() == w.Size()-1 {
			b = random[float32]("b", w.Rank(), shape...)
			b.value.(*tensor.Dense).Float32s()[5]++
		}
		err := distributed.New(descent(), w).Step(model(a, a, b))
		if w.Size() > 1 && (!errors.Is(err, distributed.ErrDiffer) || !strings.Contains(err.Error(), "number 3")) {
			return 0, fmt.Errorf("the step returned %v", err)
		}
	}
	return 0, nil
}

func broadcastValues(w *distributed.World) (uint64, error) {
	a, b := random[float32]("a", w.Rank(), 3), random[float64]("b", w.Rank(), 2, 3)
	a.value, b.value = random[float32](fmt.Sprint(w.Rank()), 0, 3).value, random[float64](fmt.Sprint(w.Rank()), 0, 2, 3).value
	m, s := model(a, b), distributed.New(descent(), w)
	if err := s.Broadcast(m); err != nil {
		return 0, err
	}
	if want := random[float32]("0", 0, 3).value; !slices.Equal(numbers(a.value), numbers(want)) {
		return 0, fmt.Errorf("rank 0's value is %v, and this %v", want, a.value)
	}
	if err := s.Step(m); err != nil {
		return 0, err
	}
	return fingerprint(m), sameOnAll(w, fingerprint(m))
}

func drift(w *distributed.World) (uint64, error) {
	a, b := random[float32]("a", w.Rank(), 3), random[float32]("b", w.Rank(), 3)
	m, s := model(a, b), distributed.New(descent(), w)
	s.CheckEvery = 5
	for i := range 6 {
		if i == 2 && w.Rank() == w.Size()-1 {
			b.value.(*tensor.Dense).Float32s()[1] += 1e-6
		}
		err := s.Step(m)
		if i < 5 || w.Size() == 1 {
			if err != nil {
				return 0, err
			}
			continue
		}
		if !errors.Is(err, distributed.ErrDiffer) || !strings.Contains(err.Error(), "after step 5") || !strings.Contains(err.Error(), `"b"`) {
			return 0, fmt.Errorf("step %d returned %v", i+1, err)
		}
	}
	return 0, nil
}

func joinsLater(w *distributed.World) (uint64, error) {
	a, b := random[float32]("a", w.Rank(), 3), random[float32]("b", w.Rank(), 3)
	s := distributed.New(descent(), w)
	if err := s.Step(model(a)); err != nil {
		return 0, err
	}
	if w.Rank() > 0 {
		b.value.(*tensor.Dense).Float32s()[1]++
	}
	if err := s.Step(model(a, b)); w.Size() > 1 && !errors.Is(err, distributed.ErrDiffer) {
		return 0, fmt.Errorf("the step returned %v", err)
	}
	if err := s.Broadcast(model(a, b)); err != nil {
		return 0, err
	}
	return 0, s.Step(model(b, a))
}

func innerRefuses(w *distributed.World) (uint64, error) {
	a := random[float32]("a", w.Rank(), 3)
	a.value.(*tensor.Dense).Float32s()[0] = -math.MaxFloat32
	a.gradient.(*tensor.Dense).Float32s()[0] = math.MaxFloat32 // the sum of several is beyond float32, the average is not
	if err := distributed.New(descent(), w).Step(model(a)); !errors.Is(err, solver.ErrNonFiniteStep) {
		return 0, fmt.Errorf("the step returned %v", err)
	}
	return 0, nil
}

func sumsAndBytes(w *distributed.World) (uint64, error) {
	for _, n := range []int{0, 1, 2, 7, 1000} {
		x, y := make([]float64, n), make([]float32, n)
		for i := range n {
			x[i], y[i] = float64(i+w.Rank()), float32(i+w.Rank())
		}
		if err := errors.Join(distributed.AllReduce(w, x), distributed.AllReduce(w, y)); err != nil {
			return 0, err
		}
		for i := range n {
			if want := float64(i*w.Size() + w.Size()*(w.Size()-1)/2); x[i] != want || float64(y[i]) != want {
				return 0, fmt.Errorf("the sums at %d are %v and %v, want %v", i, x[i], y[i], want)
			}
		}
		sent := strings.Repeat("x", n)
		got, err := w.Broadcast([]byte(fmt.Sprint(w.Rank(), sent)))
		if want := fmt.Sprint(0, sent); err != nil || string(got) != want {
			return 0, fmt.Errorf("broadcast %q, got %q: %v", want, got, err)
		}
	}
	if b, err := w.Broadcast(nil); err != nil || len(b) != 0 {
		return 0, fmt.Errorf("broadcast nothing, got %q: %v", b, err)
	}
	return 0, nil
}
