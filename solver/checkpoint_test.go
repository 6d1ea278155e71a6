package solver_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
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

func written(t testing.TB, ps []*param, s gorgonia.Solver) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := solver.Write(&b, model(ps...), s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
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

// Options without a meaning for a solver can be anything, and are kept.
func TestAnOptionThatIsIgnoredDoesNotKeepASolverFromBeingSaved(t *testing.T) {
	ps := small()
	s := solver.NewEGU(gorgonia.WithMomentum(math.NaN()), solver.WithGainBounds(math.Inf(1), math.Inf(-1)), gorgonia.WithClip(math.Inf(1)))
	file := written(t, ps, s)
	loaded := solver.NewEGU()
	if err := solver.Read(bytes.NewReader(file), model(ps...), loaded); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(written(t, ps, loaded), file) {
		t.Error("another file")
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

// small is a model of a few bytes.
func small() []*param {
	return []*param{
		{"w", dense([]float32{1, 2, 3, 4, 5, 6}, 2, 3), dense([]float32{1, -2, 3, -4, 5, -6}, 2, 3)},
		{"b", gorgonia.NewF64(0.5), gorgonia.NewF64(-0.25)},
	}
}

// smallRun is a small model and a solver that has made three steps.
func smallRun(t testing.TB, s gorgonia.Solver) []*param {
	t.Helper()
	ps := small()
	for range 3 {
		set(ps[0].gradient, []float64{1, -2, 3, -4, 5, -6})
		set(ps[1].gradient, []float64{-0.25})
		if err := s.Step(model(ps...)); err != nil {
			t.Fatal(err)
		}
	}
	return ps
}

// The bytes, by the format as it is published, with a parser that knows no more
// than that.
func TestAFileIsOneOfSafetensors(t *testing.T) {
	for _, m := range kept {
		t.Run(m.name, func(t *testing.T) {
			s := m.make()
			ps := smallRun(t, s)
			b := written(t, ps, s)
			n := binary.LittleEndian.Uint64(b)
			if n%8 != 0 || b[8] != '{' {
				t.Fatalf("a header of %d bytes that begins with %q", n, b[8])
			}
			data := b[8+n:]
			var header map[string]json.RawMessage
			if err := json.Unmarshal(bytes.TrimRight(b[8:8+n], " "), &header); err != nil {
				t.Fatal(err)
			}
			var metadata map[string]string
			if err := json.Unmarshal(header["__metadata__"], &metadata); err != nil {
				t.Fatal(err)
			}
			delete(header, "__metadata__")
			type tensorInfo struct {
				DType   string   `json:"dtype"`
				Shape   []int    `json:"shape"`
				Offsets [2]int64 `json:"data_offsets"`
			}
			infos, covered := map[string]tensorInfo{}, make([]int, len(data))
			for name, raw := range header {
				var info tensorInfo
				d := json.NewDecoder(bytes.NewReader(raw))
				d.DisallowUnknownFields()
				if err := d.Decode(&info); err != nil || info.Shape == nil {
					t.Fatalf("%s: %s: %v", name, raw, err)
				}
				size := map[string]int64{"F32": 4, "F64": 8, "U8": 1}[info.DType]
				if (8+int64(n)+info.Offsets[0])%size != 0 {
					t.Errorf("%s at %d is not aligned", name, info.Offsets[0])
				}
				for _, k := range info.Shape {
					size *= int64(k)
				}
				if info.Offsets[1]-info.Offsets[0] != size {
					t.Errorf("%s: %s", name, raw)
				}
				for i := info.Offsets[0]; i < info.Offsets[1]; i++ {
					covered[i]++
				}
				infos[name] = info
			}
			if slices.ContainsFunc(covered, func(n int) bool { return n != 1 }) {
				t.Error("the tensors do not cover the data, each byte once")
			}
			if info := infos["w"]; info.DType != "F32" || !slices.Equal(info.Shape, []int{2, 3}) {
				t.Errorf("w is %+v", info)
			}
			if info := infos["b"]; info.DType != "F64" || len(info.Shape) != 0 {
				t.Errorf("b is %+v", info)
			}
			w, v := make([]float32, 6), 0.0
			_, err := binary.Decode(data[infos["w"].Offsets[0]:], binary.LittleEndian, w)
			must(err)
			_, err = binary.Decode(data[infos["b"].Offsets[0]:], binary.LittleEndian, &v)
			must(err)
			if !slices.Equal(w, ps[0].value.(*tensor.Dense).Float32s()) || v != floats(ps[1].value)[0] {
				t.Errorf("read %v and %v, want %v and %v", w, v, ps[0].value, ps[1].value)
			}
			if metadata["funnel.version"] != "1" || !json.Valid([]byte(metadata["funnel.solver"])) {
				t.Errorf("metadata %v", metadata)
			}
			blank := bytes.Replace(b, []byte(metadata["funnel.checksum"]), []byte(strings.Repeat("0", 64)), 1)
			if sum := sha256.Sum256(blank); hex.EncodeToString(sum[:]) != metadata["funnel.checksum"] {
				t.Error("the checksum is not what the documentation says")
			}
		})
	}
}

func TestAModelMayBeEmptyOrHaveParametersWithoutElements(t *testing.T) {
	for _, s := range []gorgonia.Solver{nil, solver.NewFunnel(), solver.Augment(solver.NewFunnelAdam())} {
		for _, ps := range [][]*param{nil, {{"none", dense([]float64{}, 0), dense([]float64{}, 0)}, vector("w", []float64{1}, []float64{1})}} {
			if s != nil && ps != nil {
				step(t, s, model(ps...))
			}
			if err := solver.Read(bytes.NewReader(written(t, ps, s)), model(ps...), s); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestWhatCannotBeSavedIsAnError(t *testing.T) {
	ps := small()
	nan := small()
	set(nan[0].value, []float64{1, 2, 3, 4, math.NaN()})
	stepped := solver.NewFunnel()
	all := smallRun(t, stepped)
	reshaped := solver.NewFunnel()
	other := smallRun(t, reshaped)
	must(other[0].value.(*tensor.Dense).Reshape(3, 2))
	empty := solver.NewFunnel(solver.WithGainBounds(0, 1), solver.WithGainRate(1e3))
	dead := smallRun(t, empty) // whose gains are 0
	set(dead[0].gradient, []float64{-1, 2, -3, 4, -5, 6})
	step(t, empty, model(dead...))
	must(empty.Apply(solver.WithGainBounds(0.5, 1)))
	for name, c := range map[string]struct {
		s     gorgonia.Solver
		model []gorgonia.ValueGrad
		want  error
		words string
	}{
		"a solver of Gorgonia's":             {gorgonia.NewAdamSolver(), model(ps...), nil, "*gorgonia.AdamSolver"},
		"an Augmented around one":            {solver.Augment(gorgonia.NewAdamSolver()), model(ps...), nil, "*gorgonia.AdamSolver"},
		"an Augmented around none":           {solver.Augment(nil), model(ps...), nil, "<nil>"},
		"a nil Funnel":                       {(*solver.Funnel)(nil), model(ps...), solver.ErrNotMade, "NewFunnel"},
		"a part of the model":                {stepped, model(all[1]), nil, `"w"`},
		"no name":                            {nil, model(ps[0], vector("", []float64{1}, nil)), solver.ErrName, "number 2"},
		"a name that two have":               {nil, model(ps[0], vector("w", []float64{1}, nil)), solver.ErrName, "number 1 has the same"},
		"a name that means something else":   {nil, model(vector("__metadata__", []float64{1}, nil)), solver.ErrName, "__metadata__"},
		"a name of ours":                     {nil, model(vector("funnel.gain/w", []float64{1}, nil)), solver.ErrName, "funnel."},
		"a name that is no text":             {nil, model(vector("\xff", []float64{1}, nil)), solver.ErrName, "UTF-8"},
		"memory that two share":              {nil, model(ps[0], &param{"v", ps[0].value, nil}), solver.ErrShared, `"v"`},
		"a nil parameter":                    {nil, []gorgonia.ValueGrad{nil}, solver.ErrNoValue, "number 1"},
		"no value":                           {nil, model(&param{name: "p"}), solver.ErrNoValue, `"p"`},
		"a value of integers":                {nil, model(&param{name: "p", value: gorgonia.NewI(1)}), solver.ErrUnsupported, `"p"`},
		"NaN in a value":                     {nil, model(nan...), solver.ErrNonFiniteValue, "[1 1]"},
		"a hyperparameter that cannot be":    {solver.NewFunnel(gorgonia.WithMomentum(2)), model(ps...), nil, "WithMomentum"},
		"one of an inner solver":             {solver.Augment(solver.NewFunnel(gorgonia.WithMomentum(2))), model(ps...), nil, "WithMomentum"},
		"a value of another shape than once": {reshaped, model(other...), solver.ErrMismatch, `"w"`},
		"a gain below its bounds":            {empty, model(dead...), nil, "funnel.gain/"},
	} {
		file := filepath.Join(t.TempDir(), "run.safetensors")
		err := solver.Save(file, c.model, c.s)
		oneSentence(t, name, err, file, c.want)
		if err != nil && !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v, want something about %s", name, err, c.words)
		}
		if entries, _ := os.ReadDir(filepath.Dir(file)); len(entries) > 0 {
			t.Errorf("%s: it left %v", name, entries)
		}
	}
	runtime.KeepAlive(all) // or a part of the model is all that lives
}

// oneSentence checks an error: one line that names the file, and what it is.
func oneSentence(t *testing.T, name string, err error, file string, want error) {
	t.Helper()
	if err == nil || want != nil && !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", name, err, want)
		return
	}
	if s := err.Error(); !strings.Contains(s, file) || strings.Contains(s, "\n") || len(s) > 400+len(file) || strings.Contains(s, "%!") {
		t.Errorf("%s: %s", name, s)
	}
	t.Logf("%s: %v", name, err)
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

// edited is a file with a change to its header, and the right lengths and
// checksum for that.
func edited(t testing.TB, file []byte, old, new string) []byte {
	t.Helper()
	n := binary.LittleEndian.Uint64(file)
	header := strings.TrimRight(string(file[8:8+n]), " ")
	if old != "" && !strings.Contains(header, old) {
		t.Fatalf("there is no %s in %s", old, header)
	}
	return sealed(assembled(strings.Replace(header, old, new, 1), file[8+n:]))
}

func assembled(header string, data []byte) []byte {
	for len(header)%8 > 0 {
		header += " "
	}
	return slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), []byte(header), data)
}

// sealed is a file with the checksum that it should have, if it has one.
func sealed(file []byte) []byte {
	key := []byte(`"funnel.checksum":"`)
	i := bytes.Index(file, key)
	if i < 0 || i+len(key)+64 > len(file) {
		return file
	}
	file = bytes.Clone(file)
	at := file[i+len(key):][:64]
	copy(at, strings.Repeat("0", 64))
	sum := sha256.Sum256(file)
	hex.Encode(at, sum[:])
	return file
}

// withNumber is a file with a number at a place of a tensor's data.
func withNumber(t testing.TB, file []byte, name string, i int, x float64) []byte {
	t.Helper()
	n := binary.LittleEndian.Uint64(file)
	var header map[string]struct {
		DType   string   `json:"dtype"`
		Offsets [2]int64 `json:"data_offsets"`
	}
	if err := json.Unmarshal(file[8:8+n], &header); err != nil {
		t.Fatal(err)
	}
	info, ok := header[name]
	if !ok {
		t.Fatalf("there is no %s", name)
	}
	file = bytes.Clone(file)
	data := file[8+int64(n)+info.Offsets[0]:]
	if info.DType == "F32" {
		binary.LittleEndian.PutUint32(data[4*i:], math.Float32bits(float32(x)))
	} else {
		binary.LittleEndian.PutUint64(data[8*i:], math.Float64bits(x))
	}
	return sealed(file)
}

func TestAFileThatIsCutAnywhereOrHasAnyBitFlippedIsRefused(t *testing.T) {
	for _, m := range []member{keptMember("FunnelAdam"), keptMember("Funnel, augmented"), keptMember("not ours, augmented")} {
		s := m.make()
		ps := smallRun(t, s)
		file := written(t, ps, s)
		read := func(b []byte) error { return solver.Read(bytes.NewReader(b), model(ps...), s) }
		must(read(file))
		before := bits(s, ps)
		refused := func(what string, at int, b []byte) {
			if err := read(b); !errors.Is(err, solver.ErrCorrupt) {
				t.Fatalf("%s: %s at %d: %v", m.name, what, at, err)
			}
			if bits(s, ps) != before {
				t.Fatalf("%s: %s at %d: something changed", m.name, what, at)
			}
		}
		for i := range file {
			refused("cut", i, file[:i])
		}
		if m.name != "FunnelAdam" { // one is enough, for the time it takes
			continue
		}
		for i := range 8 * len(file) {
			flipped := bytes.Clone(file)
			flipped[i/8] ^= 1 << (i % 8)
			refused("a bit flipped", i, flipped)
		}
		t.Logf("%d cuts and %d flips refused", len(file), 8*len(file))
	}
}

// faults are files that are no checkpoints of a small FunnelAdam's, though the
// checksum of most is right.
func faults(t testing.TB, file []byte) map[string]struct {
	file []byte
	want error
} {
	edit := func(old, new string) []byte { return edited(t, file, old, new) }
	number := func(name string, i int, x float64) []byte { return withNumber(t, file, name, i, x) }
	n := binary.LittleEndian.Uint64(file)
	header, data := strings.TrimRight(string(file[8:8+n]), " "), file[8+n:]
	length := func(n uint64) []byte { return append(binary.LittleEndian.AppendUint64(nil, n), file[8:]...) }
	foreign := `{"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}`
	return map[string]struct {
		file []byte
		want error
	}{
		"empty":                      {nil, solver.ErrCorrupt},
		"seven bytes":                {file[:7], solver.ErrCorrupt},
		"text":                       {[]byte("Call me Ishmael. Some years ago - never mind how long precisely"), solver.ErrForeign},
		"a zip file":                 {[]byte("PK\x03\x04\x14\x00\x00\x00\x08\x00 and so on"), solver.ErrForeign},
		"zeros":                      {make([]byte, 4096), solver.ErrForeign},
		"a foreign safetensors file": {assembled(foreign, make([]byte, 24)), solver.ErrForeign},
		"one of half floats":         {assembled(`{"w":{"dtype":"F16","shape":[2,3],"data_offsets":[0,12]}}`, make([]byte, 12)), solver.ErrForeign},

		"a header of 2^63 bytes":              {length(1 << 63), solver.ErrCorrupt},
		"a header of 2^64-1 bytes":            {length(math.MaxUint64), solver.ErrCorrupt},
		"a header of 2^40 bytes":              {length(1 << 40), solver.ErrCorrupt},
		"a header of 100 MB":                  {length(100_000_000), solver.ErrCorrupt},
		"a header of 100 MB and one":          {length(100_000_001), solver.ErrCorrupt},
		"a header of none":                    {length(0), solver.ErrCorrupt},
		"a header shorter than it is":         {length(n - 8), solver.ErrCorrupt},
		"a header longer than it is":          {length(n + 8), solver.ErrCorrupt},
		"a header that is not JSON":           {assembled(strings.Repeat("x", 64), data), solver.ErrForeign},
		"a header that is an array":           {assembled("["+header+"]", data), solver.ErrCorrupt},
		"a header that is null":               {assembled("null", nil), solver.ErrForeign},
		"a header that nests":                 {assembled(strings.Repeat(`{"a":`, 1<<16), nil), solver.ErrForeign},
		"a header of arrays":                  {assembled(`{"w":{"shape":`+strings.Repeat("[", 1<<16), nil), solver.ErrForeign},
		"a header that goes on":               {edit(header, header+"{}"), solver.ErrCorrupt},
		"a header that is not UTF-8":          {edit(`"w"`, "\"\xff\""), solver.ErrCorrupt},
		"a tensor that comes twice":           {edit(`"w":{`, `"b":{`), solver.ErrCorrupt},
		"a tensor that comes twice, escaped":  {edit(`"w":{`, `"\u0062":{`), solver.ErrCorrupt},
		"metadata that come twice":            {edit(`"w":{`, `"__metadata__":{},"w":{`), solver.ErrCorrupt},
		"metadata that are no strings":        {edit(`"__metadata__":{`, `"__metadata__":{"a":1,`), solver.ErrCorrupt},
		"two checksums":                       {edit(`"__metadata__":{`, `"__metadata__":{"funnel.checksum":"`+strings.Repeat("0", 64)+`",`), solver.ErrCorrupt},
		"no checksum":                         {edit(`"funnel.checksum":`, `"checksum":`), solver.ErrCorrupt},
		"a checksum that is too short":        {assembled(strings.Replace(header, `"funnel.checksum":"`, `"funnel.checksum":"","a":"`, 1), data), solver.ErrCorrupt},
		"a key that tensors do not have":      {edit(`"w":{`, `"w":{"color":"red",`), solver.ErrCorrupt},
		"a tensor without dtype":              {edit(`"w":{"dtype":"F32",`, `"w":{`), solver.ErrCorrupt},
		"a dtype twice":                       {edit(`"w":{`, `"w":{"dtype":"F32",`), solver.ErrCorrupt},
		"a dtype that is not known":           {edit(`"dtype":"F64"`, `"dtype":"I64"`), solver.ErrCorrupt},
		"a dtype that is a number":            {edit(`"dtype":"F64"`, `"dtype":64`), solver.ErrCorrupt},
		"a negative dimension":                {edit(`[2,3]`, `[-2,-3]`), solver.ErrCorrupt},
		"half a dimension":                    {edit(`[2,3]`, `[2.5,3]`), solver.ErrCorrupt},
		"dimensions whose product overflows":  {edit(`[2,3]`, `[4611686018427387904,4,6]`), solver.ErrCorrupt},
		"a dimension beyond all integers":     {edit(`[2,3]`, `[99999999999999999999]`), solver.ErrCorrupt},
		"a thousand dimensions":               {edit(`[2,3]`, `[6`+strings.Repeat(",1", 1000)+`]`), solver.ErrCorrupt},
		"a shape that is a string":            {edit(`[2,3]`, `"2,3"`), solver.ErrCorrupt},
		"offsets that overlap":                {edit(`[104,128]`, `[103,127]`), solver.ErrCorrupt},
		"offsets with a gap":                  {edit(`[104,128]`, `[112,136]`), solver.ErrCorrupt},
		"offsets beyond the file":             {edit(`[104,128]`, `[104,9000]`), solver.ErrCorrupt},
		"offsets beyond all files":            {edit(`[104,128]`, `[104,9223372036854775807]`), solver.ErrCorrupt},
		"offsets that go back":                {edit(`[104,128]`, `[128,104]`), solver.ErrCorrupt},
		"one offset":                          {edit(`[104,128]`, `[104]`), solver.ErrCorrupt},
		"three offsets":                       {edit(`[104,128]`, `[0,104,128]`), solver.ErrCorrupt},
		"data that end early":                 {sealed(file[:len(file)-4]), solver.ErrCorrupt},
		"data that go on":                     {sealed(append(bytes.Clone(file), 0)), solver.ErrCorrupt},
		"no version":                          {edit(`"funnel.version":"1"`, `"version":"1"`), solver.ErrCorrupt},
		"a version that is none":              {edit(`"funnel.version":"1"`, `"funnel.version":"one"`), solver.ErrCorrupt},
		"version 0":                           {edit(`"funnel.version":"1"`, `"funnel.version":"0"`), solver.ErrCorrupt},
		"a newer version":                     {edit(`"funnel.version":"1"`, `"funnel.version":"2"`), solver.ErrVersion},
		"a tensor too few":                    {without(t, file, "w"), solver.ErrDifferent},
		"a list of the solver too few":        {without(t, file, "funnel.first/w"), solver.ErrDifferent},
		"another name":                        {edit(`"w":{`, `"v":{`), solver.ErrDifferent},
		"a tensor too many":                   {edit(`"w":{`, `"v":{"dtype":"F32","shape":[0],"data_offsets":[128,128]},"w":{`), solver.ErrDifferent},
		"a list of the solver too many":       {edit(`"w":{`, `"funnel.v/w":{"dtype":"F32","shape":[0],"data_offsets":[128,128]},"w":{`), solver.ErrVersion},
		"another shape":                       {edit(`"w":{"dtype":"F32","shape":[2,3]`, `"w":{"dtype":"F32","shape":[3,2]`), solver.ErrDifferent},
		"another dtype":                       {edit(`"w":{"dtype":"F32","shape":[2,3]`, `"w":{"dtype":"F64","shape":[3]`), solver.ErrDifferent},
		"a state of another shape":            {edit(`[2,3]`, `[6]`), solver.ErrDifferent},
		"another kind of solver":              {edit(`\"kind\":\"FunnelAdam\"`, `\"kind\":\"Funnel\"`), solver.ErrDifferent},
		"no solver":                           {edit(`"funnel.solver":`, `"solver":`), solver.ErrDifferent},
		"a solver that is no JSON":            {edit(`"{\"kind\"`, `"\"kind\"`), solver.ErrCorrupt},
		"a solver that is two":                {edit(`"{\"kind\"`, `"{} {\"kind\"`), solver.ErrCorrupt},
		"a solver of unknown keys":            {edit(`\"kind\"`, `\"sort\"`), solver.ErrVersion},
		"a hyperparameter too few":            {edit(`\"eps\":1e-08,`, ``), solver.ErrCorrupt},
		"a hyperparameter too many":           {edit(`\"eps\":1e-08`, `\"eps\":1e-08,\"omega\":1`), solver.ErrVersion},
		"a hyperparameter that is null":       {edit(`\"eps\":1e-08`, `\"eps\":null`), solver.ErrCorrupt},
		"a hyperparameter that cannot be":     {edit(`\"beta1\":0.9`, `\"beta1\":1.9`), solver.ErrCorrupt},
		"a hyperparameter that is text":       {edit(`\"beta1\":0.9`, `\"beta1\":\"much\"`), solver.ErrCorrupt},
		"a scope that there is not":           {edit(`\"scale_scope\":0`, `\"scale_scope\":7`), solver.ErrCorrupt},
		"steps below 0":                       {edit(`\"steps\":3,\"scale\"`, `\"steps\":-3,\"scale\"`), solver.ErrCorrupt},
		"steps beyond all":                    {edit(`\"steps\":3,\"scale\"`, `\"steps\":9223372036854775807,\"scale\"`), solver.ErrCorrupt},
		"a parameter with more steps":         {edit(`\"name\":\"w\",\"steps\":3`, `\"name\":\"w\",\"steps\":4`), solver.ErrCorrupt},
		"a parameter with no steps":           {edit(`\"name\":\"w\",\"steps\":3`, `\"name\":\"w\",\"steps\":0`), solver.ErrCorrupt},
		"a parameter that the model has not":  {edit(`\"name\":\"w\"`, `\"name\":\"v\"`), solver.ErrDifferent},
		"a parameter that the solver has not": {edit(`\"parameters\":[{`, `\"parameters\":[],\"inner\":{},\"parameters\":[{`), solver.ErrCorrupt},
		"a parameter twice":                   {edit(`\"name\":\"w\"`, `\"name\":\"b\"`), solver.ErrCorrupt},
		"a zero scale":                        {withScale(t, file, "0"), solver.ErrCorrupt},
		"a negative scale":                    {withScale(t, file, "-1"), solver.ErrCorrupt},
		"a scale beyond all numbers":          {withScale(t, file, "1e999"), solver.ErrCorrupt},
		"no last direction":                   {edit(`,\"direction\":[`, `,\"direction\":[1,`), solver.ErrCorrupt},
		"a last direction by zero":            {edit(`,\"direction\":[`, `,\"direction\":[1,0]},{\"name\":\"b\",\"steps\":3,\"scale\":1,\"direction\":[`), solver.ErrCorrupt},

		"NaN in a value":                  {number("w", 3, math.NaN()), solver.ErrCorrupt},
		"Inf in a value":                  {number("b", 0, math.Inf(1)), solver.ErrCorrupt},
		"NaN in a moment":                 {number("funnel.first/w", 5, math.NaN()), solver.ErrCorrupt},
		"a negative second moment":        {number("funnel.second/w", 0, -1), solver.ErrCorrupt},
		"a negative gain":                 {number("funnel.gain/w", 2, -1), solver.ErrCorrupt},
		"a gain of 0":                     {number("funnel.gain/b", 0, 0), solver.ErrCorrupt},
		"an infinite gain":                {number("funnel.gain/b", 0, math.Inf(1)), solver.ErrCorrupt},
		"a gain too small for a number":   {number("funnel.gain/b", 0, math.Copysign(0, -1)), solver.ErrCorrupt},
		"Inf of the other sign in values": {number("w", 0, math.Inf(-1)), solver.ErrCorrupt},
	}
}

// withScale is a file with another scale of the solver's.
func withScale(t testing.TB, file []byte, scale string) []byte {
	n := binary.LittleEndian.Uint64(file)
	_, after, _ := strings.Cut(string(file[8:8+n]), `\"steps\":3,\"scale\":`)
	old, _, _ := strings.Cut(after, ",")
	return edited(t, file, `\"steps\":3,\"scale\":`+old, `\"steps\":3,\"scale\":`+scale)
}

// without is a file that a tensor was cut out of, its last or one as long.
func without(t testing.TB, file []byte, name string) []byte {
	t.Helper()
	n := binary.LittleEndian.Uint64(file)
	type info struct {
		Offsets [2]int64 `json:"data_offsets"`
		DType   string   `json:"dtype"`
		Shape   []int    `json:"shape"`
	}
	var header map[string]json.RawMessage
	must(json.Unmarshal(file[8:8+n], &header))
	var gone info
	must(json.Unmarshal(header[name], &gone))
	delete(header, name)
	size := gone.Offsets[1] - gone.Offsets[0]
	for k, raw := range header {
		var i info
		if k == "__metadata__" {
			continue
		}
		must(json.Unmarshal(raw, &i))
		if i.Offsets[0] >= gone.Offsets[1] {
			i.Offsets[0], i.Offsets[1] = i.Offsets[0]-size, i.Offsets[1]-size
		}
		header[k], _ = json.Marshal(i)
	}
	text, err := json.Marshal(header)
	must(err)
	data := file[8+n:]
	return sealed(assembled(string(text), slices.Concat(data[:gone.Offsets[0]], data[gone.Offsets[1]:])))
}

func TestABadFileIsOneErrorAndChangesNothing(t *testing.T) {
	s := solver.NewFunnelAdam(solver.WithScaleScope(solver.Global))
	ps := smallRun(t, s)
	good := written(t, ps, s)
	smallRun(t, s) // forgotten by Load
	step(t, solver.NewFunnel(), model(ps...))
	must(solver.Read(bytes.NewReader(good), model(ps...), s))
	step(t, s, model(ps...))
	for name, c := range faults(t, good) {
		file := filepath.Join(t.TempDir(), "run.safetensors")
		must(os.WriteFile(file, c.file, 0o666))
		err := untouched(t, ps, s, func() error { return solver.Load(file, model(ps...), s) })
		oneSentence(t, name, err, file, c.want)
	}
	must(solver.Read(bytes.NewReader(good), model(ps...), s))
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

// faultyWriter fails after some bytes.
type faultyWriter struct {
	left int
	err  error
}

func (w *faultyWriter) Write(b []byte) (int, error) {
	if len(b) > w.left {
		return w.left, w.err
	}
	w.left -= len(b)
	return len(b), nil
}

func TestAnErrorOfTheWriterIsReportedAsItIs(t *testing.T) {
	s := solver.Augment(solver.NewFunnel())
	ps := smallRun(t, s)
	full := errors.New("the disk is full")
	for n := range written(t, ps, s) {
		if err := solver.Write(&faultyWriter{n, full}, model(ps...), s); !errors.Is(err, full) {
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

func TestABadFileTakesNoMemoryForWhatItPromises(t *testing.T) {
	s := solver.NewFunnelAdam()
	ps := smallRun(t, s)
	for name, c := range faults(t, written(t, ps, s)) {
		took := allocated(func() {
			if solver.Read(bytes.NewReader(c.file), model(ps...), s) == nil {
				t.Errorf("%s was read", name)
			}
		})
		if took > 1<<20+uint64(16*len(c.file)) {
			t.Errorf("%s: %d bytes for a file of %d", name, took, len(c.file))
		}
	}
}

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestSaveReplacesAFileAndLeavesNothingBeside(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "run.safetensors"), filepath.Join(dir, "latest")
	must(os.WriteFile(file, []byte("old"), 0o600))
	must(os.Symlink(file, link))
	s := solver.NewFunnel()
	ps := smallRun(t, s)
	must(solver.Save(link, model(ps...), s))
	got, err := os.ReadFile(file)
	must(err)
	if !bytes.Equal(got, written(t, ps, s)) {
		t.Error("the file behind the link is not what Write writes")
	}
	entries, err := os.ReadDir(dir)
	must(err)
	if len(entries) != 2 {
		t.Errorf("the directory has %v", entries)
	}
}

func TestAFileCanBeLoadedWhileItIsReplaced(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.safetensors")
	s := solver.NewFunnel()
	ps := smallRun(t, s)
	must(solver.Save(file, model(ps...), s))
	done := make(chan error)
	go func() {
		var err error
		for i := 0; i < 50 && err == nil; i++ {
			err = solver.Save(file, model(ps...), s)
		}
		done <- err
	}()
	other, loaded := solver.NewFunnel(), small()
	for {
		select {
		case err := <-done:
			must(err)
			return
		default:
			must(solver.Load(file, model(loaded...), other))
		}
	}
}

func TestWhereNoFileCanBeSaveSaysSo(t *testing.T) {
	dir := t.TempDir()
	must(os.WriteFile(filepath.Join(dir, "file"), nil, 0o666))
	for name, file := range map[string]string{
		"no directory":                filepath.Join(dir, "none", "run.safetensors"),
		"a directory that is a file":  filepath.Join(dir, "file", "run.safetensors"),
		"a file that is a directory":  dir,
		"a name that is far too long": filepath.Join(dir, strings.Repeat("x", 300)),
		"no name":                     "",
	} {
		oneSentence(t, name, solver.Save(file, model(small()...), nil), file, nil)
	}
	entries, err := os.ReadDir(dir)
	must(err)
	if len(entries) != 1 {
		t.Errorf("the directory has %v", entries)
	}
}

// FuzzRead checks that whatever is read, nothing panics or takes memory for what
// a file promises, and that what is refused changes nothing. Header and data are
// put together with the right length and checksum, or nothing else would ever be
// looked at.
func FuzzRead(f *testing.F) {
	makers := []member{keptMember("Funnel raw"), keptMember("FunnelAdam"), keptMember("EGU"), keptMember("Funnel, augmented"), keptMember("not ours"), keptMember("not ours, augmented")}
	add := func(file []byte, which int) {
		if len(file) < 8 || binary.LittleEndian.Uint64(file) > uint64(len(file)-8) {
			return
		}
		n := 8 + binary.LittleEndian.Uint64(file)
		f.Add(string(file[8:n]), file[n:], byte(which))
	}
	for i, m := range makers {
		s := m.make()
		file := written(f, smallRun(f, s), s)
		add(file, i)
		if i == 1 {
			for _, c := range faults(f, file) {
				add(c.file, i)
			}
		}
	}
	add(written(f, small(), nil), len(makers))
	f.Fuzz(func(t *testing.T, header string, data []byte, which byte) {
		var s gorgonia.Solver
		ps := small()
		if int(which) < len(makers) {
			s = makers[which].make()
			ps = smallRun(t, s)
		}
		file := sealed(assembled(header, data))
		var err error
		took := allocated(func() {
			err = untouched(t, ps, s, func() error { return solver.Read(bytes.NewReader(file), model(ps...), s) })
		})
		if took > 1<<20+uint64(16*len(file)) {
			t.Errorf("%d bytes for a file of %d", took, len(file))
		}
		if err != nil && len(err.Error()) > 1000+len(file) {
			t.Errorf("a long error: %v", err)
		}
		if err == nil && s != nil && !strings.HasPrefix(makers[which].name, "not ours") {
			ps[0].gradient, ps[1].gradient = dense(make([]float32, 6), 2, 3), gorgonia.NewF64(1)
			oneStep(t, s, ps)
		}
	})
}
