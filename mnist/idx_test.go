package mnist

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
)

// realMNIST returns the directory of the four published files, or skips.
func realMNIST(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("FUNNEL_MNIST"); dir != "" {
		return dir
	}
	dir := filepath.Join("..", "..", "shared", "mnist")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("needs the four real MNIST files: name their directory in FUNNEL_MNIST")
	}
	return dir
}

func TestRealMNISTIsReadBitForBit(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long; without -short it runs")
	}
	train, test, err := ReadDir(realMNIST(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range []struct {
		name                       string
		data                       *Dataset
		length                     int
		imagesSHA256, labelsSHA256 string
	}{
		{"train", train, 60000,
			"ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
			"65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
		{"test", test, 10000,
			"0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
			"ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
	} {
		if got := set.data.Len(); got != set.length {
			t.Errorf("%s holds %d images, want %d", set.name, got, set.length)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(encodeImages(set.data.Images))); got != set.imagesSHA256 {
			t.Errorf("%s images have SHA-256 %s, want %s", set.name, got, set.imagesSHA256)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(encodeLabels(set.data.Labels))); got != set.labelsSHA256 {
			t.Errorf("%s labels have SHA-256 %s, want %s", set.name, got, set.labelsSHA256)
		}
	}
}

func TestReadFSAcceptsEverySpelling(t *testing.T) {
	for _, tt := range []struct {
		name   string
		rename func(string) string
		store  func([]byte) []byte
	}{
		{"hyphen", keepName, plain},
		{"dot", withDot, plain},
		{"hyphen, gzipped", withGz, zipped},
		{"dot, gzipped", func(s string) string { return withGz(withDot(s)) }, zipped},
		{"gzipped under a plain name", keepName, zipped},
		{"plain under a gzip name", withGz, plain},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fsys := fstest.MapFS{}
			for name, file := range smallMNIST() {
				fsys[tt.rename(name)] = &fstest.MapFile{Data: tt.store(file.Data)}
			}
			train, test, err := ReadFS(fsys)
			if err != nil {
				t.Fatal(err)
			}
			checkDataset(t, "train", train, pixels(3), []byte{0, 9, 4})
			checkDataset(t, "test", test, pixels(2), []byte{7, 1})
		})
	}
}

func TestReadFSPassesOverADirectoryOfTheFilesName(t *testing.T) {
	fsys := smallMNIST()
	file := fsys["t10k-labels-idx1-ubyte"]
	delete(fsys, "t10k-labels-idx1-ubyte")
	fsys["t10k-labels-idx1-ubyte/t10k-labels-idx1-ubyte"] = file
	fsys["t10k-labels.idx1-ubyte"] = file
	if _, _, err := ReadFS(fsys); err != nil {
		t.Fatal(err)
	}
}

func TestReadFSPrefersTheSpellingAsPublished(t *testing.T) {
	fsys := smallMNIST()
	for name, file := range smallMNIST() {
		fsys[withGz(name)] = &fstest.MapFile{Data: zipped(file.Data)}
		fsys[name] = &fstest.MapFile{Data: []byte("damaged")}
	}
	if _, _, err := ReadFS(fsys); err != nil {
		t.Fatal(err)
	}
}

func TestReadFSRefusesADamagedFileInOneClearSentence(t *testing.T) {
	images, labels := encodeImages(pixels(3)), encodeLabels([]byte{0, 9, 4})
	const imagesName, labelsName = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
	for _, tt := range []struct {
		name, file string
		data       []byte
		want       string
	}{
		{"empty file", imagesName, nil, "16-byte header cannot be read past byte 0"},
		{"truncated header", imagesName, images[:15], "16-byte header cannot be read past byte 15"},
		{"truncated images", imagesName, images[:len(images)-1], "promises 2352 bytes, 2351 are there"},
		{"truncated labels", labelsName, labels[:len(labels)-1], "promises 3 bytes, 2 are there"},
		{"bytes after the images", imagesName, append(images[:len(images):len(images)], 0), "left over after the 2352"},
		{"bytes after the labels", labelsName, append(labels[:len(labels):len(labels)], 0), "left over after the 3"},
		{"labels for images", imagesName, append(labels[:len(labels):len(labels)], images...), "not IDX images: the magic number is 0x00000801, not 0x00000803"},
		{"web page", labelsName, []byte("<!DOCTYPE html>"), "not IDX labels: the magic number is 0x3c21444f, not 0x00000801"},
		{"images of another size", imagesName, encodeHeader(imagesMagic, 3, 32, 28), "32×28 pixels; only 28×28"},
		{"no images", imagesName, encodeHeader(imagesMagic, 0, Side, Side), "holds no images"},
		{"no labels", labelsName, encodeHeader(labelsMagic, 0), "holds no labels"},
		{"label above 9", labelsName, encodeLabels([]byte{0, 10, 4}), "label 1 (counted from 0) is 10; labels are 0 to 9"},
		{"fewer labels than images", labelsName, encodeLabels([]byte{1, 2}), imagesName + " holds 3 images but train-labels-idx1-ubyte holds 2 labels"},
		{"promise above two gigabytes", imagesName, encodeHeader(imagesMagic, 1<<31, Side, Side), "promises 1683627180032 bytes, more than"},
		{"largest promise", labelsName, encodeHeader(labelsMagic, 1<<32-1), "promises 4294967295 bytes, more than"},
		{"truncated gzip header", imagesName, zipped(images)[:5], "gzip header cannot be read (unexpected EOF)"},
		{"truncated gzip", imagesName, zipped(images)[:60], "(unexpected EOF); get the file again"},
		{"gzip without its checksum", imagesName, zipped(images)[:len(zipped(images))-8], "stopped after 2352 of 2352 bytes (unexpected EOF)"},
		{"wrong gzip checksum", imagesName, wrongChecksum(zipped(images)), "(gzip: invalid checksum)"},
		{"bytes after the gzip", imagesName, append(zipped(images), "tail"...), "stopped after 2352 of 2352 bytes"},
		{"truncated inside gzip", labelsName, zipped(labels[:9]), "promises 3 bytes, 1 are there"},
		{"left over inside gzip", labelsName, append(zipped(labels), zipped(labels)...), "left over after the 3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fsys := smallMNIST()
			fsys[tt.file] = &fstest.MapFile{Data: tt.data}
			train, test, err := ReadFS(fsys)
			if train != nil || test != nil {
				t.Error("a dataset came with the error")
			}
			checkSentence(t, err, tt.file, tt.want)
			if errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%q passes for a missing file", err)
			}
		})
	}
}

func TestReadFSNamesEveryFileThatCanBeMissing(t *testing.T) {
	for name := range smallMNIST() {
		t.Run(name, func(t *testing.T) {
			fsys := smallMNIST()
			delete(fsys, name)
			_, _, err := ReadFS(fsys)
			checkSentence(t, err, name, "put it there under this name or as "+withDot(name)+", plain or gzipped with .gz added")
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%q is not fs.ErrNotExist", err)
			}
		})
	}
}

func TestReadDirNamesTheRealPath(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "train-images-idx3-ubyte")

	_, _, err := ReadDir(dir)
	checkSentence(t, err, file, "file does not exist; put it there")

	if err := os.WriteFile(file, []byte("not an IDX file"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, _, err = ReadDir(dir)
	checkSentence(t, err, file, "header cannot be read")

	_, _, err = ReadDir(file)
	checkSentence(t, err, file, "is a file; name the directory")

	missing := filepath.Join(dir, "missing")
	_, _, err = ReadDir(missing)
	checkSentence(t, err, fmt.Sprintf("%q", missing))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%q is not fs.ErrNotExist", err)
	}
}

func TestReadingAllocatesForDataAndNotForPromises(t *testing.T) {
	few := make([]byte, 20)
	for _, tt := range []struct {
		name string
		read func(io.Reader) ([]byte, error)
		data []byte
	}{
		{"2^31 images promised", readImages, append(encodeHeader(imagesMagic, 1<<31, Side, Side), few...)},
		{"two gigabytes of images promised", readImages, append(encodeHeader(imagesMagic, 2_700_000, Side, Side), few...)},
		{"two gigabytes of images promised in gzip", readImages, zipped(append(encodeHeader(imagesMagic, 2_700_000, Side, Side), few...))},
		{"2^31-1 labels promised", readLabels, append(encodeHeader(labelsMagic, 1<<31-1), few...)},
		{"gzip bomb behind one image", readImages, zipped(append(encodeHeader(imagesMagic, 1, Side, Side), make([]byte, 8<<20)...))},
		{"gzip bomb behind one label", readLabels, zipped(append(encodeHeader(labelsMagic, 1), make([]byte, 8<<20)...))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var err error
			r := bytes.NewReader(tt.data)
			allocated := allocatedBy(func() { _, err = tt.read(r) })
			if err == nil {
				t.Error("no error")
			}
			if allocated > 1<<20 {
				t.Errorf("allocated %d bytes", allocated)
			}
			if taken := len(tt.data) - r.Len(); taken > 8<<10 {
				t.Errorf("took %d of %d bytes after the answer was known", taken, len(tt.data))
			}
		})
	}
}

func TestDatasetImageCannotGrowIntoTheNext(t *testing.T) {
	d := &Dataset{Images: pixels(2), Labels: []byte{0, 1}}
	_ = append(d.Image(0), 0xff)
	if !bytes.Equal(d.Images, pixels(2)) {
		t.Error("appending to image 0 changed image 1")
	}
}

func FuzzReadImages(f *testing.F) {
	file := encodeImages(pixels(2))
	addSeeds(f, file)
	f.Add(encodeHeader(imagesMagic, 1<<31, Side, Side))
	f.Add(encodeHeader(imagesMagic, 2_700_000, Side, Side))
	f.Fuzz(func(t *testing.T, data []byte) {
		images := readWithinMemory(t, data, readImages)
		if images != nil && !bytes.Equal(encodeImages(images), unzipped(t, data)) {
			t.Error("the images are not those of the file")
		}
	})
}

func FuzzReadLabels(f *testing.F) {
	file := encodeLabels([]byte{0, 9, 4})
	addSeeds(f, file)
	f.Add(encodeLabels([]byte{10}))
	f.Add(encodeHeader(labelsMagic, 1<<31-1))
	f.Fuzz(func(t *testing.T, data []byte) {
		labels := readWithinMemory(t, data, readLabels)
		if labels != nil && !bytes.Equal(encodeLabels(labels), unzipped(t, data)) {
			t.Error("the labels are not those of the file")
		}
	})
}

func addSeeds(f *testing.F, file []byte) {
	f.Add([]byte{})
	f.Add(file)
	f.Add(file[:len(file)-1])
	f.Add(append(file[:len(file):len(file)], 0))
	f.Add(zipped(file))
	f.Add(wrongChecksum(zipped(file)))
	f.Add(append(zipped(file), zipped(nil)...))
}

// readWithinMemory returns nil where read refuses data, and fails where it
// takes more memory than data can account for.
func readWithinMemory(t *testing.T, data []byte, read func(io.Reader) ([]byte, error)) (content []byte) {
	t.Helper()
	const mostByDeflate = 1032 // bytes out for a byte in
	var err error
	allocated := allocatedBy(func() { content, err = read(bytes.NewReader(data)) })
	if bound := 4<<20 + 8*mostByDeflate*uint64(len(data)); allocated > bound {
		t.Errorf("allocated %d bytes for a file of %d", allocated, len(data))
	}
	if (content == nil) != (err != nil) {
		t.Errorf("%d bytes came with the error %v", len(content), err)
	}
	return content
}

// allocatedBy counts every goroutine's allocations, so bounds need some room.
func allocatedBy(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// checkSentence wants one line that begins with the file.
func checkSentence(t *testing.T, err error, file string, wants ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	message := err.Error()
	for _, want := range append(wants, "mnist: ", file) {
		if !strings.Contains(message, want) {
			t.Errorf("%q does not say %q", message, want)
		}
	}
	if strings.ContainsAny(message, "\n") || strings.HasSuffix(message, ".") {
		t.Errorf("%q is not one sentence", message)
	}
}

func checkDataset(t *testing.T, name string, d *Dataset, images, labels []byte) {
	t.Helper()
	if d.Len() != len(labels) || !bytes.Equal(d.Labels, labels) {
		t.Errorf("%s has labels %v, want %v", name, d.Labels, labels)
	}
	if !bytes.Equal(d.Images, images) {
		t.Errorf("%s has other images than were written", name)
	}
	last := d.Len() - 1
	if !bytes.Equal(d.Image(last), images[last*Pixels:]) {
		t.Errorf("%s has another last image than was written", name)
	}
}

func smallMNIST() fstest.MapFS {
	return fstest.MapFS{
		"train-images-idx3-ubyte": {Data: encodeImages(pixels(3))},
		"train-labels-idx1-ubyte": {Data: encodeLabels([]byte{0, 9, 4})},
		"t10k-images-idx3-ubyte":  {Data: encodeImages(pixels(2))},
		"t10k-labels-idx1-ubyte":  {Data: encodeLabels([]byte{7, 1})},
	}
}

// pixels returns n images, each different from the others.
func pixels(n int) []byte {
	images := make([]byte, n*Pixels)
	for i := range images {
		images[i] = byte(i * 7 % 251)
	}
	return images
}

func encodeImages(images []byte) []byte {
	return append(encodeHeader(imagesMagic, uint32(len(images)/Pixels), Side, Side), images...)
}

func encodeLabels(labels []byte) []byte {
	return append(encodeHeader(labelsMagic, uint32(len(labels))), labels...)
}

func encodeHeader(fields ...uint32) []byte {
	var header []byte
	for _, field := range fields {
		header = binary.BigEndian.AppendUint32(header, field)
	}
	return header
}

func keepName(name string) string { return name }
func withDot(name string) string  { return strings.Replace(name, "-idx", ".idx", 1) }
func withGz(name string) string   { return name + ".gz" }

func plain(data []byte) []byte { return data }

func zipped(data []byte) []byte {
	var buf bytes.Buffer
	z, _ := gzip.NewWriterLevel(&buf, gzip.BestSpeed)
	z.Write(data)
	z.Close()
	return buf.Bytes()
}

func unzipped(t *testing.T, data []byte) []byte {
	t.Helper()
	if !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		return data
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// wrongChecksum changes the CRC, with which the last 8 bytes of a gzip file begin.
func wrongChecksum(gz []byte) []byte {
	gz[len(gz)-8] ^= 1
	return gz
}
