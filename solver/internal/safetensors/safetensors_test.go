package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	reference "github.com/nlpodyssey/safetensors"
)

var example = Header{
	Metadata: map[string]string{"who": "\"we\" <&> \u2028 größer"},
	Tensors: []Tensor{
		{Name: "wide", DType: "F64", Shape: []int{2, 2}},
		{Name: "", DType: "F64"},
		{Name: "layer/\"1\" <weights>", DType: "F32", Shape: []int{3, 1, 2}},
		{Name: "none", DType: "F32", Shape: []int{0, 9}},
		{Name: "größe", DType: "F32"},
		{Name: "bytes", DType: "U8", Shape: []int{3}},
	},
}

func encoded(t testing.TB, h Header) []byte {
	t.Helper()
	b, err := Encode(&h)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWhatIsEncodedIsRead(t *testing.T) {
	for _, h := range []Header{{}, {Metadata: map[string]string{"a": ""}}, {Tensors: example.Tensors}, example} {
		b := encoded(t, h)
		got, text, err := ReadHeader(iotest.OneByteReader(bytes.NewReader(append(b, "data"...))))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(text, b) || !reflect.DeepEqual(*got, h) {
			t.Errorf("%s\nread as %+v\nwant %+v", b, *got, h)
		}
	}
}

// github.com/nlpodyssey/safetensors reads a file whole, takes the last of tensors
// of one name, and makes a map of a map of whatever a header has. As a reader
// of sound files it is as good as any.
func TestAnotherReaderReadsTheSame(t *testing.T) {
	h := example
	b := encoded(t, h)
	data := make([]byte, h.Tensors[len(h.Tensors)-1].End)
	for i := range data {
		data[i] = byte(i)
	}
	file, err := reference.Deserialize(append(b, data...))
	if err != nil {
		t.Fatal(err)
	}
	if file.Len() != len(h.Tensors) {
		t.Errorf("%d tensors, want %d", file.Len(), len(h.Tensors))
	}
	for _, want := range h.Tensors {
		got, ok := file.Tensor(want.Name)
		if !ok || got.DType().String() != want.DType || !bytes.Equal(got.Data(), data[want.Begin:want.End]) || len(got.Shape()) != len(want.Shape) {
			t.Errorf("%q is %+v, want %+v", want.Name, got, want)
		}
		for i, n := range got.Shape() {
			if int(n) != want.Shape[i] {
				t.Errorf("%q has shape %v, want %v", want.Name, got.Shape(), want.Shape)
			}
		}
	}
}

func TestWhatTheFormatCannotHoldIsNotEncoded(t *testing.T) {
	for name, tensors := range map[string][]Tensor{
		"a name twice":       {{Name: "a", DType: "F32"}, {Name: "a", DType: "F64"}},
		"the metadata's":     {{Name: "__metadata__", DType: "F32"}},
		"no UTF-8":           {{Name: "\xff", DType: "F32"}},
		"an unknown dtype":   {{Name: "a", DType: "I8"}},
		"a negative size":    {{Name: "a", DType: "F32", Shape: []int{-1}}},
		"a tensor too large": {{Name: "a", DType: "F32", Shape: []int{1 << 30, 1 << 30, 4}}},
		"a file too large":   {{Name: "a", DType: "F32", Shape: []int{1 << 30, 1 << 30}}, {Name: "b", DType: "F64", Shape: []int{1 << 29, 1 << 30}}},
		"a header too long":  {{Name: strings.Repeat("x", maxHeader), DType: "F32"}},
	} {
		if b, err := Encode(&Header{Tensors: tensors}); err == nil {
			t.Errorf("%s: %d bytes", name, len(b))
		}
	}
}

func TestAnErrorOfTheReaderIsItsOwn(t *testing.T) {
	broken := errors.New("broken")
	b := encoded(t, example)
	for n := range b {
		r := iotest.DataErrReader(bytes.NewReader(b[:n]))
		if _, _, err := ReadHeader(r); err == nil || !strings.Contains(err.Error(), "it ends after") {
			t.Fatalf("cut at %d: %v", n, err)
		}
		if _, _, err := ReadHeader(&failing{b[:n], broken}); !errors.Is(err, broken) {
			t.Fatalf("broken at %d: %v", n, err)
		}
	}
}

type failing struct {
	b   []byte
	err error
}

func (f *failing) Read(b []byte) (int, error) {
	if len(f.b) == 0 {
		return 0, f.err
	}
	n := copy(b, f.b)
	f.b = f.b[n:]
	return n, nil
}

// FuzzHeader checks that what is read covers its data without gaps, that another
// reader would read it, and that it is encoded as what is read as the same.
func FuzzHeader(f *testing.F) {
	for _, h := range []Header{{}, example} {
		f.Add(string(encoded(f, h)[8:]))
	}
	for _, text := range []string{
		`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`,
		`{"a":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}}`,
		`{"a":{"dtype":"F32","shape":[0,9223372036854775807,4],"data_offsets":[0,0]}}`,
		`{"__metadata__":{"a":"b","\u0061":"c"}}`, `{"__metadata__":null}`, `{}{}`, `[]`, `{"a":`, "{}\x00",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file := append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
		h, _, err := ReadHeader(bytes.NewReader(file))
		if err != nil {
			return
		}
		var end int64
		for _, tensor := range h.Tensors {
			if tensor.Begin != end || tensor.End < end {
				t.Fatalf("%+v after %d", tensor, end)
			}
			end = tensor.End
		}
		if end < 1<<16 {
			if _, err := reference.Deserialize(append(file, make([]byte, end)...)); err != nil {
				t.Errorf("another reader: %v", err)
			}
		}
		again, _, err := ReadHeader(bytes.NewReader(encoded(t, *h)))
		if err != nil || !reflect.DeepEqual(again.Tensors, h.Tensors) || len(again.Metadata) != len(h.Metadata) {
			t.Errorf("%+v (%v), want %+v", again, err, h)
		}
	})
}
