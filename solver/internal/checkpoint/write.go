package checkpoint

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/seed1e560811/funnel/solver/internal/safetensors"
)

// File is a checkpoint that is ready to be written.
type File struct {
	tensors []*Tensor
	text    []byte // everything before the tensors' data
}

// New returns a checkpoint of a model's values and a solver's state; s is nil for values alone.
func New(s *Solver, tensors []*Tensor) (*File, error) {
	metadata := map[string]string{versionKey: strconv.Itoa(version), checksumKey: blank}
	if s != nil {
		text, err := json.Marshal(s)
		if err != nil {
			return nil, err
		}
		metadata[solverKey] = string(text)
	}
	f := &File{tensors: slices.Clone(tensors)}
	slices.SortFunc(f.tensors, func(a, b *Tensor) int { // widest first, for alignment
		return cmp.Or(cmp.Compare(width(a), width(b)), cmp.Compare(a.Name(), b.Name()))
	})
	h := &safetensors.Header{Metadata: metadata}
	for _, t := range f.tensors {
		h.Tensors = append(h.Tensors, safetensors.Tensor{Name: t.Name(), DType: t.Data.DType(), Shape: t.Shape})
	}
	var err error
	f.text, err = safetensors.Encode(h)
	return f, err
}

// width orders data types from the widest to the narrowest.
func width(t *Tensor) int { return slices.Index([]string{"F64", "F32", "U8"}, t.Data.DType()) }

// Write writes the file. It encodes the data twice, first for the checksum.
func (f *File) Write(w io.Writer) error {
	h := sha256.New()
	h.Write(f.text)
	if err := f.writeData(h); err != nil {
		return err
	}
	at := checksumAt(f.text)
	hex.Encode(f.text[at:], h.Sum(nil))
	defer copy(f.text[at:], blank)
	if _, err := w.Write(f.text); err != nil {
		return err
	}
	return f.writeData(w)
}

func (f *File) writeData(w io.Writer) error {
	buffer := make([]byte, bufferSize)
	for _, t := range f.tensors {
		size := t.Data.Size()
		for at := 0; at < size; at += bufferSize {
			b := buffer[:min(bufferSize, size-at)]
			t.Data.encode(b, at)
			if _, err := w.Write(b); err != nil {
				return err
			}
		}
	}
	return nil
}

// blank replaces the checksum while it is computed.
var blank = strings.Repeat("0", 2*sha256.Size)

// checksumAt returns where the checksum is in the text, or -1. Its key occurs at most once, because
// quotes in JSON strings are escaped.
func checksumAt(text []byte) int {
	key := []byte(`"` + checksumKey + `":"`)
	i := bytes.Index(text, key)
	if i < 0 || i+len(key)+len(blank) > len(text) {
		return -1
	}
	return i + len(key)
}
