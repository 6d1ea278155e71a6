package solver

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/seed1e560811/funnel/solver/internal/access"
	"github.com/seed1e560811/funnel/solver/internal/safetensors"
	"gorgonia.org/gorgonia"
)

// checkpoint is what a file has, ready to be written.
type checkpoint struct {
	kept []kept
	text []byte // all that goes before the data
}

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

var widest = []string{"F64", "F32", "U8"}

// header puts the lists into the order of the file, and is what goes before them.
func (c *checkpoint) header(metadata map[string]string) ([]byte, error) {
	slices.SortFunc(c.kept, func(a, b kept) int { // the widest first, for alignment
		return cmp.Or(cmp.Compare(slices.Index(widest, a.data.dtype()), slices.Index(widest, b.data.dtype())), cmp.Compare(a.tensor(), b.tensor()))
	})
	h := &safetensors.Header{Metadata: metadata}
	for _, k := range c.kept {
		h.Tensors = append(h.Tensors, safetensors.Tensor{Name: k.tensor(), DType: k.data.dtype(), Shape: k.shape})
	}
	return safetensors.Encode(h)
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
