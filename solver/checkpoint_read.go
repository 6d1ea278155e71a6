package solver

import (
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seed1e560811/funnel/solver/internal/safetensors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

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
