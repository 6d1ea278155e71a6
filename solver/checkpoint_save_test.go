package solver_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
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

func written(t testing.TB, ps []*param, s gorgonia.Solver) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := solver.Write(&b, model(ps...), s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
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

// Bounds that were narrow for a while, to hold the scale at 0 for instance, are no
// bounds any more when the file is read.
func TestASolverWhoseBoundsHaveChangedIsSaved(t *testing.T) {
	for _, m := range kept {
		s, ok := m.make().(solver.Adaptive)
		if !ok { // it has neither gains nor a scale
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			narrow := []gorgonia.SolverOpt{solver.WithScaleBounds(0, 0), solver.WithGainBounds(0, 0)}
			wide := []gorgonia.SolverOpt{solver.WithScaleBounds(0.001, 1000), solver.WithGainBounds(0.01, 100)}
			if err := s.Apply(narrow...); err != nil {
				t.Fatal(err)
			}
			ps := smallRun(t, s)
			if err := s.Apply(wide...); err != nil {
				t.Fatal(err)
			}
			file := written(t, ps, s)
			loaded := m.make()
			if err := solver.Read(bytes.NewReader(file), model(ps...), loaded); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(written(t, ps, loaded), file) {
				t.Error("another file")
			}
		})
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
	} {
		file := filepath.Join(t.TempDir(), "run.safetensors")
		err := solver.Save(file, c.model, c.s)
		oneSentence(t, name, err, file, c.want)
		if err != nil && (!strings.Contains(err.Error(), c.words) || strings.Contains(err.Error(), "solver: solver:")) {
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
	long(t)
	t.Parallel()
	s := solver.Augment(solver.NewFunnel())
	ps := smallRun(t, s)
	full := errors.New("the disk is full")
	for n := range written(t, ps, s) {
		if err := solver.Write(&faultyWriter{n, full}, model(ps...), s); !errors.Is(err, full) {
			t.Fatalf("after %d bytes: %v", n, err)
		}
	}
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

func TestAGainThatIsTooSmallForFloat32CanBeSaved(t *testing.T) {
	p := &param{"p", dense([]float32{1, 2}, 2), dense([]float32{1, 1}, 2)}
	s := solver.NewFunnel(solver.WithGainRate(100), solver.WithGainDecay(0), solver.WithGainBounds(1e-60, 100))
	for i := range 8 { // the sign flips, and the gain falls by e^100
		copy(p.gradient.Data().([]float32), []float32{float32(1 - 2*(i%2)), 1})
		step(t, s, model(p))
	}
	var file bytes.Buffer
	if err := solver.Write(&file, model(p), s); err != nil {
		t.Fatal(err)
	}
	if err := solver.Read(&file, model(p), solver.NewFunnel()); err != nil {
		t.Error(err)
	}
}

func TestScalarsThatAreNoLongerUsedNeedNotBeSaved(t *testing.T) {
	values := make([]*gorgonia.F64, 64)
	for i := range values { // Go's allocator puts two beside each other
		values[i] = gorgonia.NewF64(float64(i + 1))
	}
	var model []gorgonia.ValueGrad
	for i, v := range values {
		model = append(model, &param{fmt.Sprint("p", i), v, gorgonia.NewF64(1)})
	}
	s := solver.NewFunnelAdam()
	step(t, s, model)
	var kept []gorgonia.ValueGrad
	for i := 0; i < len(model); i += 2 {
		kept = append(kept, model[i])
	}
	clear(model)
	clear(values)
	step(t, s, kept)
	runtime.GC()
	var file bytes.Buffer
	if err := solver.Write(&file, kept, s); err != nil {
		t.Error(err)
	}
	if err := solver.Write(&file, kept[1:], s); err == nil {
		t.Error("a scalar of the last model was left out, and nothing said so")
	}
	runtime.KeepAlive(kept)
}
