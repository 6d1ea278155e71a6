package checkpoint

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seed1e560811/funnel/solver/internal/param"
	"github.com/seed1e560811/funnel/solver/internal/safetensors"
	"gorgonia.org/tensor"
)

// Plan says which tensors of a file to read.
type Plan struct {
	// Values are the model's tensors, and Solver those of the solver's state. SkipSolver ignores
	// the latter.
	Values, Solver []*Tensor
	SkipSolver     bool
}

// Read reads a file to its end into the tensors of plan, and checks everything. The argument of
// plan is the file's record of a solver, nil if it has none.
//
// A file that does not match is also read to its end, so that a damaged one is reported as damaged.
func Read(r io.Reader, plan func(*Solver) (Plan, error)) error {
	in := &source{reader: bufio.NewReaderSize(r, bufferSize), hash: sha256.New(), buffer: make([]byte, bufferSize)}
	err := in.read(plan)
	if in.err != nil {
		return in.err
	}
	return err
}

// source is a file being read.
type source struct {
	reader *bufio.Reader
	err    error // of the reader, except EOF
	hash   hash.Hash
	buffer []byte
}

func (in *source) Read(b []byte) (int, error) {
	n, err := in.reader.Read(b)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		in.err = err
	}
	return n, err
}

func (in *source) read(plan func(*Solver) (Plan, error)) error {
	start, err := in.reader.Peek(signatureWithin)
	if err != nil && err != io.EOF {
		in.err = err
		return err
	}
	start = bytes.Clone(start) // reading on overwrites what Peek shows
	header, text, err := safetensors.ReadHeader(in)
	if err != nil {
		return fmt.Errorf("%w: %w", origin(start), err)
	}
	if _, ok := header.Metadata[versionKey]; !ok {
		return fmt.Errorf("%w: it is in the safetensors format, but solver.Save did not write it", origin(start))
	}
	into, misfit := match(header, plan)
	if err := in.data(header, text, into); err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if misfit != nil {
		return misfit
	}
	for _, t := range into {
		if err := t.Check(); err != nil {
			return fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
	}
	return nil
}

// signatureWithin is how many bytes at the start of a checkpoint always contain one of its keys.
const signatureWithin = 256

// signature begins every checkpoint, after the eight bytes of its length.
const signature = `{"__metadata__":{"` + Reserved

// origin distinguishes a damaged checkpoint from a file that never was one.
func origin(start []byte) error {
	if bytes.Contains(start, []byte(Reserved)) {
		return ErrCorrupt
	}
	if rest := start[min(8, len(start)):]; strings.HasPrefix(signature, string(rest)) {
		return ErrCorrupt // cut before any key
	}
	return ErrForeign
}

func checkVersion(text string) error {
	v, err := strconv.Atoi(text)
	switch {
	case err != nil || v < 1:
		return fmt.Errorf("%w: its version is %.20q", ErrCorrupt, text)
	case v > version:
		return fmt.Errorf("%w: it is of version %d, and this release reads %d", ErrVersion, v, version)
	}
	return nil
}

// match calls plan and pairs its tensors with the file's.
func match(header *safetensors.Header, plan func(*Solver) (Plan, error)) (into []*Tensor, err error) {
	if err := checkVersion(header.Metadata[versionKey]); err != nil {
		return nil, err
	}
	var s *Solver
	if text, ok := header.Metadata[solverKey]; ok {
		if s, err = parseSolver(text); err != nil {
			return nil, err
		}
	}
	p, err := plan(s)
	if err != nil {
		return nil, err
	}
	ofModel, ofSolver := map[string]safetensors.Tensor{}, map[string]safetensors.Tensor{}
	for _, t := range header.Tensors {
		if strings.HasPrefix(t.Name, Reserved) {
			ofSolver[t.Name] = t
		} else {
			ofModel[t.Name] = t
		}
	}
	if err := pair(ofModel, p.Values); err != nil {
		return nil, err
	}
	if p.SkipSolver {
		return p.Values, nil
	}
	if err := pair(ofSolver, p.Solver); err != nil {
		return nil, err
	}
	return slices.Concat(p.Values, p.Solver), nil
}

// pair checks that the tensors of a file are those wanted.
func pair(have map[string]safetensors.Tensor, want []*Tensor) error {
	roles := map[string]bool{}
	for _, w := range want {
		roles[w.Role] = true
		t, ok := have[w.Name()]
		if !ok {
			return fmt.Errorf("%w: it has no %q", ErrDifferent, w.Name())
		}
		_, anySize := w.Data.(*Bytes)
		if t.DType != w.Data.DType() || !anySize && !param.SameShape(t.Shape, w.Shape) {
			return fmt.Errorf("%w: %q is %s of shape %v there, and %s of shape %v here", ErrDifferent, t.Name, t.DType, tensor.Shape(t.Shape), w.Data.DType(), w.Shape)
		}
		delete(have, w.Name())
	}
	if len(have) == 0 {
		return nil
	}
	name := slices.Sorted(maps.Keys(have))[0]
	if role, _, _ := strings.Cut(strings.TrimPrefix(name, Reserved), "/"); strings.HasPrefix(name, Reserved) && !roles[role] {
		return fmt.Errorf("%w: its solver has %q, which is not known here", ErrVersion, name)
	}
	return fmt.Errorf("%w: it has %q, and nothing here has that name", ErrDifferent, name)
}

// data reads the rest of the file, fills the tensors, and checks the checksum. text is everything
// before.
func (in *source) data(header *safetensors.Header, text []byte, into []*Tensor) error {
	at := checksumAt(text)
	if at < 0 {
		return errors.New("it has no checksum")
	}
	in.hash.Write(text[:at])
	in.hash.Write([]byte(blank))
	in.hash.Write(text[at+len(blank):])
	arrays := map[string]Array{}
	for _, t := range into {
		arrays[t.Name()] = t.Data
	}
	for _, t := range header.Tensors {
		if err := in.tensor(t, arrays[t.Name]); err != nil {
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

// tensor reads the data of one tensor into array, or skips them if that is nil.
func (in *source) tensor(t safetensors.Tensor, array Array) error {
	size := t.End - t.Begin
	for at := int64(0); at < size; at += bufferSize {
		b := in.buffer[:min(bufferSize, size-at)]
		if _, err := io.ReadFull(in, b); err != nil {
			return fmt.Errorf("it ends within %q", t.Name)
		}
		in.hash.Write(b)
		if array != nil {
			array.decode(b, int(at))
		}
	}
	return nil
}
