package solver_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// kept is every kind of solver that can be saved: family, but for Gorgonia's
// own, and more of what can be inside one another.
var kept = append(slices.DeleteFunc(slices.Clone(family), func(m member) bool { return m.name == gorgonias }), []member{
	{"FunnelAdam raw, augmented", func(o ...gorgonia.SolverOpt) gorgonia.Solver {
		return solver.Augment(solver.NewFunnelAdam(solver.WithRawSignals(), solver.WithScaleRate(1e-6), solver.WithScaleWarmup(0, 30)), o...)
	}},
	{"EGU, augmented", func(o ...gorgonia.SolverOpt) gorgonia.Solver {
		return solver.Augment(solver.NewEGU(), append([]gorgonia.SolverOpt{solver.WithScaleBounds(0.1, 1)}, o...)...)
	}},
	{"Funnel, augmented twice", func(o ...gorgonia.SolverOpt) gorgonia.Solver {
		return solver.Augment(solver.Augment(solver.NewFunnel(), o...), o...)
	}},
	{"Funnel with everything", func(o ...gorgonia.SolverOpt) gorgonia.Solver {
		return solver.NewFunnel(append([]gorgonia.SolverOpt{
			solver.WithGainSignal(solver.Raw), solver.WithBiasCorrection(), solver.WithGainBounds(0, 7), solver.WithScaleBounds(0, 9),
			gorgonia.WithL1Reg(1e-3), gorgonia.WithL2Reg(1e-2), gorgonia.WithClip(0.7), gorgonia.WithBatchSize(3),
		}, o...)...)
	}},
	{"not ours", func(...gorgonia.SolverOpt) gorgonia.Solver { return newHeavyBall() }},
	{"not ours, augmented", func(o ...gorgonia.SolverOpt) gorgonia.Solver { return solver.Augment(newHeavyBall(), o...) }},
	{"not ours, augmented twice", func(o ...gorgonia.SolverOpt) gorgonia.Solver {
		return solver.Augment(solver.Augment(newHeavyBall()), o...)
	}},
}...)

func keptMember(name string) member {
	return kept[slices.IndexFunc(kept, func(m member) bool { return m.name == name })]
}

// tame are options with which network can be learned.
func tame(m member) []gorgonia.SolverOpt {
	opts := []gorgonia.SolverOpt{gorgonia.WithLearnRate(0.01)}
	if strings.Contains(m.name, "raw") { // whose scale's signal is as large as the network
		opts = append(opts, solver.WithScaleRate(1e-6), solver.WithScaleWarmup(0, 30))
	}
	return opts
}

// manyElements is more than a core takes at a time.
const manyElements = 1<<14 + 5

// network is a model of both dtypes, with scalars; of the second layout the
// values are views and have dimensions of 1.
func network(layout int) []*param {
	of := func(name string, i ...string) gorgonia.Value {
		for _, l := range layouts {
			if l.name == i[layout] {
				return l.make(make([]float64, 60))
			}
		}
		panic(name)
	}
	column := tensor.New(tensor.WithShape(2, 3), tensor.WithBacking(make([]float32, 6)))
	if layout > 0 {
		column = tensor.New(tensor.WithShape(2, 3), tensor.AsFortran(make([]float32, 6)))
	}
	ps := []*param{
		{"a", of("a", "vector", "a column of a matrix"), nil},
		{"layer 1/weights", of("b", "row-major", "a transposed view"), nil},
		{"c", column, nil},
		{"d", gorgonia.NewF64(0), nil},
		{"größe \"e\" <&>", gorgonia.NewF32(0), nil},
		{"f", dense(make([]float32, manyElements), manyElements), nil},
	}
	if layout > 0 {
		ps[3].value = of("d", "", "an element of a matrix")
		slices.Reverse(ps)
	}
	return ps
}

// begin sets the values of a network, above 0 for EGU.
func begin(ps []*param) {
	for _, p := range ps {
		x := random(rand.New(rand.NewPCG(1, uint64(len(p.name)))), len(floats(p.value)))
		for i := range x {
			x[i] = math.Abs(x[i]) + 0.1
		}
		set(p.value, x)
	}
}

// pull sets the gradients of the step: they depend on the values, so that one
// wrong bit does not stay alone.
func pull(t *testing.T, ps []*param, step int) {
	for _, p := range ps {
		v := elements(t, p)
		rng := rand.New(rand.NewPCG(uint64(step), uint64(len(p.name))))
		for i := range v {
			v[i] = v[i]/2 + rng.NormFloat64()/3
		}
		g := tensor.New(tensor.Of(p.value.Dtype()), tensor.WithShape(p.value.Shape().Clone()...))
		if p.value.Shape().IsScalar() {
			g = tensor.New(tensor.Of(p.value.Dtype()), tensor.WithShape(1))
		}
		set(g, v)
		p.gradient = g
	}
}

// elements is at, but quick for the parameter of many.
func elements(t *testing.T, p *param) []float64 {
	if p.name == "f" {
		return floats(p.value)
	}
	return at(t, p.value)
}

// learn makes steps from one to another. Half of them are of a part of the
// model, one parameter joins late, and hyperparameters change on the way.
func learn(t *testing.T, s gorgonia.Solver, ps []*param, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if i == 5 || i == 14 {
			if err := s.(applicable).Apply(gorgonia.WithLearnRate(0.002*float64(i)), gorgonia.WithBeta1(0.85), solver.WithGainBounds(0.1, 3)); err != nil {
				t.Fatal(err)
			}
		}
		part := slices.DeleteFunc(slices.Clone(ps), func(p *param) bool {
			return p.name == "d" && i < 10 || p.name == "a" && i%2 == 0
		})
		pull(t, part, i)
		step(t, s, model(part...))
	}
}

// everything is all that can be seen of a training, by the names of the
// parameters.
func everything(t *testing.T, s gorgonia.Solver, ps []*param) map[string][]float64 {
	all := map[string][]float64{}
	for _, p := range ps {
		all[p.name] = elements(t, p)
	}
	state := solver.State(s)
	for i, a := range learned(s) {
		all["learned of "+a.Name] = slices.Concat([]float64{float64(i), a.Scale, float64(a.Steps)}, a.Gain, state[i][0], state[i][1])
	}
	runtime.KeepAlive(ps) // or nobody holds their memory any more
	return all
}

func compareAll(t *testing.T, got, want map[string][]float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d lists, want %d", len(got), len(want))
	}
	for name, x := range want {
		if !sameBits(got[name], x) {
			t.Errorf("%s differs", name)
		}
	}
}

func TestATrainingThatIsSavedAndLoadedGoesOnToTheBit(t *testing.T) {
	long(t)
	const steps = 24
	for _, m := range kept {
		t.Run(m.name, func(t *testing.T) {
			straight, values := m.make(tame(m)...), network(0)
			begin(values)
			files := map[int]string{}
			for i := range steps {
				learn(t, straight, values, i, i+1)
				if slices.Contains([]int{0, 8, 15}, i) {
					files[i+1] = filepath.Join(t.TempDir(), "run.safetensors")
					must(solver.Save(files[i+1], model(values...), straight))
				}
			}
			want := everything(t, straight, values)

			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
			for k, file := range files {
				resumed, loaded := solver.InParallel(m.make(gorgonia.WithLearnRate(7), solver.WithScaleRate(2))), network(1)
				if k%2 == 1 { // into a solver that has other steps behind it
					begin(loaded)
					learn(t, resumed, loaded, 0, 3)
				}
				if err := solver.Load(file, model(loaded...), resumed); err != nil {
					t.Fatal(err)
				}
				learn(t, resumed, loaded, k, steps)
				compareAll(t, everything(t, resumed, loaded), want)
			}
		})
	}
}

// What has been loaded is what was saved, and saves as the same bytes.
func TestSavingWhatWasLoadedGivesTheSameFile(t *testing.T) {
	long(t)
	for _, m := range append(kept, member{"values alone", func(...gorgonia.SolverOpt) gorgonia.Solver { return nil }}) {
		t.Run(m.name, func(t *testing.T) {
			s, ps := m.make(tame(m)...), network(0)
			begin(ps)
			if s != nil {
				learn(t, s, ps, 0, 12)
			}
			first := written(t, ps, s)
			s2, ps2 := m.make(gorgonia.WithMomentum(0.1)), network(0)
			if err := solver.Read(bytes.NewReader(first), model(ps2...), s2); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(written(t, ps2, s2), first) {
				t.Error("another file")
			}
		})
	}
}

func TestValuesCanBeLoadedWithoutTheSolver(t *testing.T) {
	s, ps := solver.NewFunnel(), network(0)
	begin(ps)
	learn(t, s, ps, 0, 12)
	for name, file := range map[string][]byte{"of all": written(t, ps, s), "of values": written(t, ps, nil)} {
		loaded := network(1)
		if err := solver.Read(bytes.NewReader(file), model(loaded...), nil); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		compareAll(t, everything(t, nil, loaded), everything(t, nil, ps))
	}
}

func TestTheHyperparametersOfTheFileAreThoseOfTheSolver(t *testing.T) {
	saved, p := solver.NewFunnel(gorgonia.WithLearnRate(0.25), solver.WithScaleScope(solver.Global)), small()
	loaded := solver.NewFunnel(gorgonia.WithLearnRate(7), solver.WithScaleScope(solver.PerParameter), solver.WithRawSignals())
	if err := solver.Read(bytes.NewReader(written(t, p, saved)), model(p...), loaded); err != nil {
		t.Fatal(err)
	}
	if a, b := trace(t, saved), trace(t, loaded); !sameBits(a, b) {
		t.Errorf("%v, want %v", b, a)
	}
	must(loaded.Apply(gorgonia.WithLearnRate(0.5)))
	must(saved.Apply(gorgonia.WithLearnRate(0.5)))
	if a, b := trace(t, saved), trace(t, loaded); !sameBits(a, b) {
		t.Errorf("after Apply %v, want %v", b, a)
	}
}

// A FunnelAdam knows how large its moments are, and looks at each only if that is
// near what a number can be.
func TestAFunnelAdamThatWasLoadedRefusesAnOverflow(t *testing.T) {
	opts := []gorgonia.SolverOpt{solver.WithScaleRate(0), solver.WithGainRate(0), gorgonia.WithBeta2(0.1)}
	s, p := solver.NewFunnelAdam(opts...), &param{"w", dense([]float32{1}, 1), dense([]float32{-1}, 1)}
	step(t, s, model(p))
	loaded := solver.NewFunnelAdam()
	must(solver.Read(bytes.NewReader(written(t, []*param{p}, s)), model(p), loaded))
	must(loaded.Apply(gorgonia.WithLearnRate(3e38)))
	if err := loaded.Step(model(p)); !errors.Is(err, solver.ErrNonFiniteStep) {
		t.Errorf("error %v, value %v", err, p.value)
	}
}

// untouched runs load and checks that it fails and changes neither model nor
// solver.
func untouched(t *testing.T, ps []*param, s gorgonia.Solver, load func() error) error {
	t.Helper()
	save := func() (b []byte) {
		if s == nil {
			return nil
		}
		return written(t, ps, s)
	}
	before, file := bits(s, ps), save()
	err := load()
	if err == nil {
		return nil
	}
	if bits(s, ps) != before || !bytes.Equal(save(), file) {
		t.Fatalf("%v, but it changed something", err)
	}
	return err
}

func TestAFileOfAnotherModelOrSolverIsRefused(t *testing.T) {
	s := solver.NewFunnel()
	ps := smallRun(t, s)
	file := filepath.Join(t.TempDir(), "run.safetensors")
	values := filepath.Join(t.TempDir(), "values.safetensors")
	augmented := filepath.Join(t.TempDir(), "augmented.safetensors")
	must(solver.Save(file, model(ps...), s))
	must(solver.Save(values, model(ps...), nil))
	must(solver.Save(augmented, model(ps...), solver.Augment(solver.NewFunnel())))
	other := func(name string, value gorgonia.Value) []gorgonia.ValueGrad {
		return model(ps[1], &param{name, value, ps[0].gradient})
	}
	for name, c := range map[string]struct {
		file  string
		model []gorgonia.ValueGrad
		s     gorgonia.Solver
		want  error
	}{
		"a parameter less":                  {file, model(ps[0]), s, solver.ErrDifferent},
		"a parameter more":                  {file, append(model(ps...), vector("v", []float64{1}, nil)), s, solver.ErrDifferent},
		"another name":                      {file, other("v", ps[0].value), s, solver.ErrDifferent},
		"another shape":                     {file, other("w", dense(make([]float32, 6), 3, 2)), s, solver.ErrDifferent},
		"another size":                      {file, other("w", dense(make([]float32, 5), 5)), s, solver.ErrDifferent},
		"another dtype":                     {file, other("w", dense(make([]float64, 6), 2, 3)), s, solver.ErrDifferent},
		"another solver":                    {file, model(ps...), solver.NewFunnelAdam(), solver.ErrDifferent},
		"one that is augmented":             {file, model(ps...), solver.Augment(solver.NewFunnel()), solver.ErrDifferent},
		"another inner one":                 {augmented, model(ps...), solver.Augment(solver.NewFunnelAdam()), solver.ErrDifferent},
		"an inner one of Gorgonia's":        {augmented, model(ps...), solver.Augment(gorgonia.NewMomentum()), nil},
		"one of Gorgonia's":                 {file, model(ps...), gorgonia.NewMomentum(), nil},
		"a solver for values":               {values, model(ps...), s, solver.ErrDifferent},
		"values alone of another shape":     {values, other("w", dense(make([]float32, 6), 6)), nil, solver.ErrDifferent},
		"a model without names":             {file, other("", ps[0].value), s, solver.ErrName},
		"a model whose memory is not there": {file, other("w", nil), s, solver.ErrNoValue},
		"a directory":                       {t.TempDir(), model(ps...), s, nil},
		"no file":                           {filepath.Join(t.TempDir(), "none"), model(ps...), s, os.ErrNotExist},
	} {
		err := untouched(t, ps, s, func() error { return solver.Load(c.file, c.model, c.s) })
		oneSentence(t, name, err, c.file, c.want)
	}
}

// faultyReader fails with its own error after some bytes.
type faultyReader struct {
	io.Reader
	err error
}

func (r faultyReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if err == io.EOF {
		err = r.err
	}
	return n, err
}

func TestAnErrorOfTheReaderIsReportedAsItIs(t *testing.T) {
	long(t)
	t.Parallel()
	s := solver.NewFunnel()
	ps := smallRun(t, s)
	file, broken := written(t, ps, s), errors.New("the network is down")
	for n := range file {
		err := untouched(t, ps, s, func() error {
			return solver.Read(faultyReader{bytes.NewReader(file[:n]), broken}, model(ps...), s)
		})
		if !errors.Is(err, broken) || errors.Is(err, solver.ErrCorrupt) {
			t.Fatalf("after %d bytes: %v", n, err)
		}
	}
}

// Loading takes the memory of the file, whatever the header promises.
func TestLoadingTakesAsMuchMemoryAsTheFile(t *testing.T) {
	const n = 1 << 20
	s := solver.NewFunnelAdam()
	p := &param{"w", dense(make([]float32, n), n), dense(make([]float32, n), n)}
	step(t, s, model(p))
	file := written(t, []*param{p}, s)
	fresh := solver.NewFunnelAdam()
	took := allocated(func() { must(solver.Read(bytes.NewReader(file), model(p), fresh)) })
	if most := uint64(len(file) + 1<<20); took > most {
		t.Errorf("%d bytes for a file of %d", took, len(file))
	}
	t.Logf("%d bytes for a file of %d", took, len(file))
}

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
