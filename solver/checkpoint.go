package solver

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/seed1e560811/funnel/solver/internal/access"
	"github.com/seed1e560811/funnel/solver/internal/safetensors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// A checkpoint is a safetensors file. Its tensors are the values, by the names
// of their parameters, and what the solver keeps of each, as
// funnel.velocity/NAME. All else is in its metadata:
//
//	funnel.version   1
//	funnel.solver    kind, hyperparameters, steps and scales, as JSON; absent if
//	                 the file has values only
//	funnel.checksum  SHA-256 of the whole file as it would be with 64 zeros ("0")
//	                 in the place of this
const (
	checkpointVersion = 1
	versionKey        = "funnel.version"
	solverKey         = "funnel.solver"
	checksumKey       = "funnel.checksum"
	reserved          = "funnel." // what no parameter's name may begin with
)

// Save writes the values of a model, and all that s has learned of it, to a
// file: a training that Load goes on with makes the same steps, to the bit, as
// one that never stopped. With s nil the file has the values alone.
//
// The parameters need names that differ, since they are what Load finds them by.
// The model must have all parameters that s knows: of two networks that one
// solver trains, give both. Gradients are not saved. Not every solver can be:
// one of Gorgonia's own does not show what it keeps, nor does an Augmented
// around one.
//
// A file that was there is replaced, when all of the new one is on the disk, and
// not touched if that cannot be. A process that is killed meanwhile leaves a
// file beside it that begins with a dot, and nothing else.
//
// The file is in the safetensors format. Python reads it with
// safetensors.numpy.load_file: float32 or float64, in row-major order, by the
// names of the parameters; what the solver keeps has names that begin with
// "funnel.".
func Save(file string, model []gorgonia.ValueGrad, s gorgonia.Solver) error {
	c, err := newCheckpoint(model, s)
	if err == nil {
		err = replace(file, c.write)
	}
	if err != nil {
		return fmt.Errorf("saving %s: %w", file, err)
	}
	return nil
}

// Load sets the values of a model, and the solver s, to what Save wrote. With s
// nil, or with a file of values alone and s nil, it sets the values alone.
//
// The model has the parameters that were saved, in any order; names decide. s is
// a solver of the same kind, new or used. It forgets all it knew; its
// hyperparameters, too, are those of the file, whatever it was made with, so
// that the run goes on as it was. Apply changes them afterwards.
//
// Load happens whole or not at all: it checks the file and everything in it
// before it changes anything. Beside ErrCorrupt, ErrDifferent and ErrVersion,
// the error may be a *ParameterError about the model. Beyond the model it takes
// as much memory as the file.
func Load(file string, model []gorgonia.ValueGrad, s gorgonia.Solver) error {
	err := loadFile(file, model, s)
	if err != nil {
		return fmt.Errorf("loading %s: %w", file, err)
	}
	return nil
}

func loadFile(file string, model []gorgonia.ValueGrad, s gorgonia.Solver) error {
	f, err := os.Open(file)
	if err != nil {
		return cause(err)
	}
	defer f.Close()
	return cause(Read(f, model, s))
}

// cause is err without the name of the file, which Save and Load tell.
func cause(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// Write writes what Save writes.
func Write(w io.Writer, model []gorgonia.ValueGrad, s gorgonia.Solver) error {
	c, err := newCheckpoint(model, s)
	if err != nil {
		return err
	}
	return c.write(w)
}

// Read reads what Write wrote, as Load does. It reads r to its end.
func Read(r io.Reader, model []gorgonia.ValueGrad, s gorgonia.Solver) error {
	values, err := valuesOf(model)
	if err != nil {
		return err
	}
	in := &source{Reader: r, hash: sha256.New(), buffer: make([]byte, chunk)}
	install, err := in.checkpoint(values, s)
	if in.err != nil {
		return in.err
	}
	if err != nil {
		return prefixed(err)
	}
	install()
	return nil
}

// checkpoint is what a file has, ready to be written.
type checkpoint struct {
	kept []kept
	text []byte // all that goes before the data
}

// chunk is how many bytes are converted at a time.
const chunk = 1 << 16

func newCheckpoint(model []gorgonia.ValueGrad, s gorgonia.Solver) (*checkpoint, error) {
	values, err := valuesOf(model)
	if err != nil {
		return nil, err
	}
	c := new(checkpoint)
	for _, v := range values {
		if err := v.checkFinite(); err != nil {
			return nil, err
		}
		c.kept = append(c.kept, v.kept)
	}
	metadata := map[string]string{versionKey: strconv.Itoa(checkpointVersion), checksumKey: blank}
	if s != nil {
		var state []kept
		if metadata[solverKey], state, err = save(s, values); err != nil {
			return nil, prefixed(err)
		}
		c.kept = append(c.kept, state...)
	}
	c.text, err = c.header(metadata)
	return c, prefixed(err)
}

// header puts the lists into the order of the file, and is what goes before them.
func (c *checkpoint) header(metadata map[string]string) ([]byte, error) {
	slices.SortFunc(c.kept, func(a, b kept) int { // F64 first, for alignment
		return cmp.Or(cmp.Compare(b.data.dtype(), a.data.dtype()), cmp.Compare(a.tensor(), b.tensor()))
	})
	h := &safetensors.Header{Metadata: metadata}
	for _, k := range c.kept {
		h.Tensors = append(h.Tensors, safetensors.Tensor{Name: k.tensor(), DType: k.data.dtype(), Shape: k.shape})
	}
	return safetensors.Encode(h)
}

// prefixed is err as errors of this package begin.
func prefixed(err error) error {
	switch err.(type) {
	case nil, *ParameterError, *HyperparameterError:
		return err
	}
	return fmt.Errorf("solver: %w", err)
}

// save is what a file keeps of a solver: a record, as JSON, and lists.
func save(s gorgonia.Solver, values []*value) (_ string, state []kept, err error) {
	places := make(map[gorgonia.ValueGrad]*value, len(values))
	for _, v := range values {
		places[v.of] = v
	}
	k, err := keeperOf(s)
	if err != nil {
		return "", nil, err
	}
	for _, vg := range k.knows() {
		if places[vg] == nil {
			return "", nil, fmt.Errorf("the solver knows a parameter %q that is not in the model; give all that it has stepped", access.Name(vg))
		}
	}
	record, state, err := saveSolver(k, places)
	if err != nil {
		return "", nil, err
	}
	for _, k := range state {
		if err := k.check(); err != nil {
			return "", nil, err
		}
	}
	text, err := json.Marshal(record)
	return string(text), state, err
}

// load is the lists of a solver's state, to be read, and what to do then.
func load(s gorgonia.Solver, text string, values []*value) ([]kept, func(), error) {
	r, err := parseRecord(text)
	if err != nil {
		return nil, nil, err
	}
	model := map[string]gorgonia.ValueGrad{}
	for _, v := range values {
		model[v.parameter] = v.of
	}
	return restoreSolver(s, r, model)
}

// write writes all twice, first to get the checksum.
func (c *checkpoint) write(w io.Writer) error {
	h := sha256.New()
	h.Write(c.text)
	if err := c.writeData(h); err != nil {
		return err
	}
	at := checksumAt(c.text)
	hex.Encode(c.text[at:], h.Sum(nil))
	defer copy(c.text[at:], blank)
	if _, err := w.Write(c.text); err != nil {
		return err
	}
	return c.writeData(w)
}

func (c *checkpoint) writeData(w io.Writer) error {
	buffer := make([]byte, chunk)
	for _, k := range c.kept {
		size := k.data.size()
		for at := 0; at < size; at += chunk {
			b := buffer[:min(chunk, size-at)]
			k.data.encode(b, at)
			if _, err := w.Write(b); err != nil {
				return err
			}
		}
	}
	return nil
}

var blank = strings.Repeat("0", 2*sha256.Size)

// checksumAt is where the checksum is in the text, or -1. It is there once at
// most: in strings of JSON quotes are escaped.
func checksumAt(text []byte) int {
	key := []byte(`"` + checksumKey + `":"`)
	i := bytes.Index(text, key)
	if i < 0 || i+len(key)+len(blank) > len(text) {
		return -1
	}
	return i + len(key)
}

// source is a file being read.
type source struct {
	io.Reader
	err    error // of the reader, but for its end
	hash   hash.Hash
	buffer []byte
}

func (in *source) Read(b []byte) (int, error) {
	n, err := in.Reader.Read(b)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		in.err = err
	}
	return n, err
}

// checkpoint reads and checks all there is. install puts it into model and
// solver.
//
// A file that does not fit is read to its end all the same: one that is damaged
// is to be called that. So no version may change the rule of the checksum.
func (in *source) checkpoint(values []*value, s gorgonia.Solver) (install func(), err error) {
	header, text, err := safetensors.ReadHeader(in)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if _, ok := header.Metadata[versionKey]; !ok {
		return nil, fmt.Errorf("%w: it is one of safetensors, but Save did not write it", ErrCorrupt)
	}
	kept, install, misfit := match(header, values, s)
	if err := in.data(header, text, kept); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if misfit != nil {
		return nil, misfit
	}
	for _, k := range kept {
		if err := k.check(); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
	}
	return install, nil
}

func checkVersion(text string) error {
	version, err := strconv.Atoi(text)
	switch {
	case err != nil || version < 1:
		return fmt.Errorf("%w: its version is %.20q", ErrCorrupt, text)
	case version > checkpointVersion:
		return fmt.Errorf("%w: it is of version %d, and this release reads %d", ErrVersion, version, checkpointVersion)
	}
	return nil
}

// data reads the data of the file, with those of kept into their lists, to the
// end, and checks the checksum. text is what went before.
func (in *source) data(header *safetensors.Header, text []byte, kept []kept) error {
	at := checksumAt(text)
	if at < 0 {
		return errors.New("it has no checksum")
	}
	in.hash.Write(text[:at])
	in.hash.Write([]byte(blank))
	in.hash.Write(text[at+len(blank):])
	lists := map[string]array{}
	for _, k := range kept {
		lists[k.tensor()] = k.data
	}
	for _, t := range header.Tensors {
		if err := in.tensor(t, lists[t.Name]); err != nil {
			return err
		}
	}
	if n, _ := io.ReadFull(in, in.buffer[:1]); n > 0 {
		return errors.New("it goes on after its end")
	}
	if hex.EncodeToString(in.hash.Sum(nil)) != string(text[at:at+len(blank)]) {
		return errors.New("its checksum is not that of its content")
	}
	return nil
}

// tensor reads the data of one tensor into list, or, if that is nil, past them.
func (in *source) tensor(t safetensors.Tensor, list array) error {
	size := t.End - t.Begin
	for at := int64(0); at < size; at += chunk {
		b := in.buffer[:min(chunk, size-at)]
		if _, err := io.ReadFull(in, b); err != nil {
			return fmt.Errorf("it ends within %q", t.Name)
		}
		in.hash.Write(b)
		if list != nil {
			list.decode(b, int(at))
		}
	}
	return nil
}

// match finds what of the model and the solver each tensor is for, and makes
// room for it. install puts it there, once the lists of kept are read and
// checked.
func match(header *safetensors.Header, values []*value, s gorgonia.Solver) (kept []kept, install func(), err error) {
	if err := checkVersion(header.Metadata[versionKey]); err != nil {
		return nil, nil, err
	}
	ofModel, ofSolver := map[string]safetensors.Tensor{}, map[string]safetensors.Tensor{}
	for _, t := range header.Tensors {
		if strings.HasPrefix(t.Name, reserved) {
			ofSolver[t.Name] = t
		} else {
			ofModel[t.Name] = t
		}
	}
	for _, v := range values {
		kept = append(kept, v.kept)
	}
	if err := pair(ofModel, kept); err != nil {
		return nil, nil, err
	}
	installSolver := func() {}
	if s != nil {
		state, install, err := load(s, header.Metadata[solverKey], values)
		if err != nil {
			return nil, nil, err
		}
		if err := pair(ofSolver, state); err != nil {
			return nil, nil, err
		}
		kept, installSolver = append(kept, state...), install
	}
	for i, v := range values {
		v.stage()
		kept[i] = v.kept
	}
	return kept, func() {
		for _, v := range values {
			v.set()
		}
		installSolver()
	}, nil
}

// pair finds out whether the tensors are those of kept.
func pair(tensors map[string]safetensors.Tensor, kept []kept) error {
	for _, k := range kept {
		t, ok := tensors[k.tensor()]
		if !ok {
			return fmt.Errorf("%w: it has no %q", ErrDifferent, k.tensor())
		}
		if t.DType != k.data.dtype() || !sameElements(t.Shape, k.shape) {
			return fmt.Errorf("%w: %q is %s of shape %v there, and %s of shape %v here", ErrDifferent, t.Name, t.DType, tensor.Shape(t.Shape), k.data.dtype(), k.shape)
		}
		delete(tensors, k.tensor())
	}
	for _, name := range slices.Sorted(maps.Keys(tensors)) {
		return fmt.Errorf("%w: it has %q, and nothing here has that name", ErrDifferent, name)
	}
	return nil
}
