// Package safetensors writes and reads the headers of files in the safetensors
// format (https://github.com/huggingface/safetensors#format): eight bytes with
// the length of the header, little-endian; the header, a JSON object; the data.
//
// It is stricter than the format: names must differ, and only F32, F64 and U8 are known. It
// allocates memory for the bytes that it has read, never for sizes that a header claims.
package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// maxHeader is the format's limit of the header's length.
const maxHeader = 100_000_000

const metadataKey = "__metadata__"

// maxDimensions exceeds every real tensor's number of dimensions.
const maxDimensions = 64

// Tensor describes a tensor and where it is in the data.
type Tensor struct {
	Name       string
	DType      string // F32, F64 or U8
	Shape      []int
	Begin, End int64 // in the data; set by Encode
}

// Header is the decoded header. The tensors are in the order of their data, which they cover
// without gaps.
type Header struct {
	Metadata map[string]string
	Tensors  []Tensor
}

// Encode lays out the tensors in their order and returns everything before their data. Its length
// is a multiple of 8, so if all F64 come first, then all F32, each is aligned.
func Encode(h *Header) ([]byte, error) {
	b := []byte("        {")
	if len(h.Metadata) > 0 {
		b = appendMember(b, metadataKey, h.Metadata)
	}
	names := map[string]bool{metadataKey: true}
	var end int64
	for i := range h.Tensors {
		t := &h.Tensors[i]
		size, err := t.size()
		if err == nil && size > math.MaxInt64-end {
			err = errTooLarge
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("tensor %q: %w", t.Name, err)
		case names[t.Name] || !utf8.ValidString(t.Name):
			return nil, fmt.Errorf("a tensor cannot be named %q: it is taken, or no UTF-8", t.Name)
		}
		names[t.Name] = true
		t.Begin, t.End = end, end+size
		end = t.End
		b = appendMember(b, t.Name, info{t.DType, append([]int{}, t.Shape...), [2]int64{t.Begin, t.End}})
	}
	b = append(bytes.TrimSuffix(b, []byte(",")), '}')
	for len(b)%8 > 0 {
		b = append(b, ' ')
	}
	if len(b)-8 > maxHeader {
		return nil, fmt.Errorf("the header has %d bytes, and %d are allowed", len(b)-8, maxHeader)
	}
	binary.LittleEndian.PutUint64(b, uint64(len(b)-8))
	return b, nil
}

type info struct {
	DType       string   `json:"dtype"`
	Shape       []int    `json:"shape"` // of a scalar [], not null
	DataOffsets [2]int64 `json:"data_offsets"`
}

func appendMember(b []byte, key string, value any) []byte {
	k, _ := json.Marshal(key) // strings and numbers have no errors
	v, _ := json.Marshal(value)
	return append(append(append(append(b, k...), ':'), v...), ',')
}

var errTooLarge = errors.New("it is larger than files can be")

// size is the tensor's size in bytes.
func (t *Tensor) size() (int64, error) {
	size := map[string]int64{"F32": 4, "F64": 8, "U8": 1}[t.DType]
	if size == 0 {
		return 0, fmt.Errorf("its dtype is %.20q, and F32, F64 and U8 alone are read here", t.DType)
	}
	for _, n := range t.Shape {
		if n < 0 || n > 0 && size > math.MaxInt64/int64(n) {
			return 0, errTooLarge
		}
		size *= int64(n)
	}
	return size, nil
}

// ReadHeader reads a header, and returns it decoded and as text, length included. An error that is
// not r's describes what is wrong with the file.
func ReadHeader(r io.Reader) (_ *Header, text []byte, err error) {
	var length [8]byte
	if n, err := io.ReadFull(r, length[:]); err != nil {
		return nil, nil, ended(n, err)
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxHeader {
		return nil, nil, fmt.Errorf("its header would have %d bytes, and %d are allowed", n, maxHeader)
	}
	b := bytes.NewBuffer(length[:])
	if read, err := io.CopyN(b, r, int64(n)); err != nil {
		return nil, nil, ended(8+int(read), err)
	}
	text = b.Bytes()
	h, err := parse(text[8:])
	return h, text, err
}

// ended turns an unexpected end of the file into an error that says where it is.
func ended(after int, err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("it ends after %d bytes, within the header", after)
	}
	return err
}

func parse(text []byte) (*Header, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("its header is not UTF-8")
	}
	p := parser{json.NewDecoder(bytes.NewReader(text))}
	p.UseNumber()
	h := new(Header)
	err := p.object(func(name string) (err error) {
		if name == metadataKey {
			h.Metadata, err = p.metadata()
			return err
		}
		t, err := p.tensor(name)
		h.Tensors = append(h.Tensors, t)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("its header is not one of safetensors: %w", err)
	}
	if rest := text[p.InputOffset():]; len(bytes.Trim(rest, " ")) > 0 {
		return nil, fmt.Errorf("its header goes on after its end")
	}
	return h, h.arrange()
}

// arrange sorts the tensors by the order of their data, and checks that they cover it.
func (h *Header) arrange() error {
	slices.SortFunc(h.Tensors, func(a, b Tensor) int {
		return slices.Compare([]int64{a.Begin, a.End}, []int64{b.Begin, b.End})
	})
	var end int64
	for i := range h.Tensors {
		t := &h.Tensors[i]
		if size, err := t.size(); err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		} else if t.Begin != end || t.End < t.Begin || t.End-t.Begin != size {
			return fmt.Errorf("tensor %q has %d bytes of data, which cannot be at %d to %d", t.Name, size, t.Begin, t.End)
		}
		end = t.End
	}
	return nil
}

type parser struct{ *json.Decoder }

// object reads an object whose keys must differ. each reads the value of one key.
func (p parser) object(each func(key string) error) error {
	if err := p.delimiter('{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for p.More() {
		key, err := p.text()
		if err != nil {
			return err
		}
		if seen[key] {
			return fmt.Errorf("%q comes twice", key)
		}
		seen[key] = true
		if err := each(key); err != nil {
			return err
		}
	}
	return p.delimiter('}')
}

func (p parser) metadata() (map[string]string, error) {
	m := map[string]string{}
	return m, p.object(func(key string) (err error) {
		m[key], err = p.text()
		return err
	})
}

func (p parser) tensor(name string) (t Tensor, err error) {
	t.Name = name
	fields := 0
	err = p.object(func(key string) (err error) {
		fields++
		switch key {
		case "dtype":
			t.DType, err = p.text()
		case "shape":
			err = p.naturals(func(n int64) error {
				if len(t.Shape) == maxDimensions || n > math.MaxInt {
					return errTooLarge
				}
				t.Shape = append(t.Shape, int(n))
				return nil
			})
		case "data_offsets":
			err = p.offsets(&t)
		default:
			err = fmt.Errorf("tensor %q has a key %q", name, key)
		}
		return err
	})
	if err == nil && fields != 3 {
		err = fmt.Errorf("tensor %q lacks dtype, shape or data_offsets", name)
	}
	return t, err
}

func (p parser) offsets(t *Tensor) error {
	n := 0
	err := p.naturals(func(x int64) error {
		if n++; n > 2 {
			return fmt.Errorf("tensor %q has more than two data_offsets", t.Name)
		}
		t.Begin, t.End = t.End, x
		return nil
	})
	if err == nil && n != 2 {
		return fmt.Errorf("tensor %q has %d data_offsets", t.Name, n)
	}
	return err
}

// naturals reads an array of non-negative integers.
func (p parser) naturals(each func(int64) error) error {
	if err := p.delimiter('['); err != nil {
		return err
	}
	for p.More() {
		token, err := p.token()
		if err != nil {
			return err
		}
		number, _ := token.(json.Number)
		n, err := strconv.ParseUint(number.String(), 10, 63)
		if err != nil {
			return fmt.Errorf("%.20q where a natural number belongs", fmt.Sprint(token))
		}
		if err := each(int64(n)); err != nil {
			return err
		}
	}
	return p.delimiter(']')
}

func (p parser) text() (string, error) {
	token, err := p.token()
	if s, ok := token.(string); ok || err != nil {
		return s, err
	}
	return "", fmt.Errorf("%v where a string belongs", token)
}

func (p parser) delimiter(want json.Delim) error {
	token, err := p.token()
	if err == nil && token != want {
		return fmt.Errorf("%.20q where %v belongs", fmt.Sprint(token), want)
	}
	return err
}

func (p parser) token() (json.Token, error) {
	token, err := p.Token()
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil, errors.New("the JSON is not whole")
	}
	return token, err
}
