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
	"slices"
	"strings"
	"testing"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
)

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
	long(t)
	t.Parallel()
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
		"offsets that overlap":                {edit(`[136,160]`, `[135,159]`), solver.ErrCorrupt},
		"offsets with a gap":                  {edit(`[136,160]`, `[144,168]`), solver.ErrCorrupt},
		"offsets beyond the file":             {edit(`[136,160]`, `[136,9000]`), solver.ErrCorrupt},
		"offsets beyond all files":            {edit(`[136,160]`, `[136,9223372036854775807]`), solver.ErrCorrupt},
		"offsets that go back":                {edit(`[136,160]`, `[160,136]`), solver.ErrCorrupt},
		"one offset":                          {edit(`[136,160]`, `[136]`), solver.ErrCorrupt},
		"three offsets":                       {edit(`[136,160]`, `[0,136,160]`), solver.ErrCorrupt},
		"data that end early":                 {sealed(file[:len(file)-4]), solver.ErrCorrupt},
		"data that go on":                     {sealed(append(bytes.Clone(file), 0)), solver.ErrCorrupt},
		"no version":                          {edit(`"funnel.version":"1"`, `"version":"1"`), solver.ErrCorrupt},
		"a version that is none":              {edit(`"funnel.version":"1"`, `"funnel.version":"one"`), solver.ErrCorrupt},
		"version 0":                           {edit(`"funnel.version":"1"`, `"funnel.version":"0"`), solver.ErrCorrupt},
		"a newer version":                     {edit(`"funnel.version":"1"`, `"funnel.version":"2"`), solver.ErrVersion},
		"a tensor too few":                    {without(t, file, "w"), solver.ErrDifferent},
		"a list of the solver too few":        {without(t, file, "funnel.first/w"), solver.ErrDifferent},
		"another name":                        {edit(`"w":{`, `"v":{`), solver.ErrDifferent},
		"a tensor too many":                   {edit(`"w":{`, `"v":{"dtype":"F32","shape":[0],"data_offsets":[160,160]},"w":{`), solver.ErrDifferent},
		"a list of the solver too many":       {edit(`"w":{`, `"funnel.v/w":{"dtype":"F32","shape":[0],"data_offsets":[160,160]},"w":{`), solver.ErrVersion},
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
		"a scope that there is not":           {edit(`\"scale_scope\":`, `\"scale_scope\":7`), solver.ErrCorrupt},
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
		"a warm-up above 1":                   {edit(`\"warmup\":`, `\"warmup\":2`), solver.ErrCorrupt},
		"a warm-up below 0":                   {edit(`\"warmup\":`, `\"warmup\":-`), solver.ErrCorrupt},
		"a signal out of range":               {edit(`\"signal\":`, `\"signal\":6`), solver.ErrCorrupt},
		"a mean square below 0":               {edit(`\"signal_square\":`, `\"signal_square\":-`), solver.ErrCorrupt},
		"a mean signal out of range":          {edit(`\"signal_mean\":`, `\"signal_mean\":-2,\"signal_mean\":2`), solver.ErrCorrupt},
		"an average's signal out of range":    {edit(`\"average_steps\":`, `\"average_signal\":-2,\"average_steps\":`), solver.ErrCorrupt},
		"an average of fewer than no steps":   {edit(`\"average_steps\":`, `\"average_steps\":-`), solver.ErrCorrupt},
		"a largest gradient so far below 0":   {edit(`\"gradient_norm\":`, `\"gradient_largest\":-1,\"gradient_norm\":`), solver.ErrCorrupt},
		"a largest gradient below 0":          {edit(`\"gradient_norm\":`, `\"gradient_peak\":-1,\"gradient_norm\":`), solver.ErrCorrupt},
		"a smallest gradient below 0":         {edit(`\"gradient_low\":`, `\"gradient_low\":-`), solver.ErrCorrupt},
		"a mean length below 0":               {edit(`\"value_length\":`, `\"value_length\":-`), solver.ErrCorrupt},
		"a sum of warm-ups below 0":           {edit(`\"warmup_sum\":`, `\"warmup_sum\":-`), solver.ErrCorrupt},
		"warm-ups below 0":                    {edit(`\"warmup_steps\":`, `\"warmup_steps\":-`), solver.ErrCorrupt},
		"a likeness above 1":                  {edit(`\"averages\":true`, `\"averages\":true,\"likeness\":2`), solver.ErrCorrupt},
		"a likeness below 0":                  {edit(`\"averages\":true`, `\"averages\":true,\"likeness\":-1`), solver.ErrCorrupt},
		"a gradient ratio out of range":       {edit(`\"gradient_ratio\":`, `\"gradient_ratio\":6`), solver.ErrCorrupt},
		"a gradient ratio below 0":            {edit(`\"gradient_ratio\":`, `\"gradient_ratio\":-`), solver.ErrCorrupt},
		"a sum of fewer than no scales":       {edit(`\"steady\":`, `\"steady\":-`), solver.ErrCorrupt},
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

// A header of more than 64 KB, as a network of a hundred parameters has it.
func TestADamagedFileOfManyParametersIsReportedAsDamaged(t *testing.T) {
	for _, n := range []int{100, 200, 400} {
		s, ps := solver.NewFunnel(), []*param{}
		for i := range n {
			ps = append(ps, vector(fmt.Sprintf("layer%d.weights", i), []float64{1, 2, 3}, []float64{0.1, 0.2, 0.3}))
		}
		step(t, s, model(ps...))
		var file bytes.Buffer
		must(solver.Write(&file, model(ps...), s))
		for at := 400; at < file.Len(); at += file.Len() / 20 {
			if err := solver.Read(bytes.NewReader(file.Bytes()[:at]), model(ps...), s); !errors.Is(err, solver.ErrCorrupt) {
				t.Fatalf("%d parameters, the first %d bytes: %v", n, at, err)
			}
		}
	}
}
