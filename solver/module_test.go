package solver_test

import (
	"encoding/json"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// readmesProgram is the program of README.md, the first block of Go there.
func readmesProgram(t *testing.T) string {
	t.Helper()
	_, program, found := strings.Cut(textOf(t, "../README.md"), "\n```go\n")
	program, _, ended := strings.Cut(program, "```\n")
	if !found || !ended {
		t.Fatal("README.md has no program")
	}
	return program
}

func textOf(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// body is what stands between a function's braces.
func body(program, function string) string {
	_, rest, _ := strings.Cut(program, "\nfunc "+function+"() {\n")
	body, _, _ := strings.Cut(rest, "\n}\n")
	return body
}

func TestTheProgramOfTheReadmeIsTheFirstExample(t *testing.T) {
	program, example := body(readmesProgram(t), "main"), body(textOf(t, "example_test.go"), "Example")
	if program == "" || program != example {
		t.Errorf("README.md has\n%s\nand Example\n%s", program, example)
	}
}

// Gorgonia alone panics at start on current Go; a program that imports solver
// must not, in a module that knows nothing of the cure.
func TestTheProgramOfTheReadmeRunsInAModuleOfItsOwn(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":  "module stranger\n\ngo 1.24\n\nrequire github.com/seed1e560811/funnel v0.0.0\n\nreplace github.com/seed1e560811/funnel => " + root + "\n",
		"go.sum":  textOf(t, "../go.sum"),
		"main.go": readmesProgram(t),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "run", "-mod=mod", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.HasSuffix(string(out), "slope 1.97, offset 1.06\n") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestSolverBringsNothingThatGorgoniaDoesNot(t *testing.T) {
	list := func(packages ...string) map[string]bool {
		out, err := exec.Command("go", append([]string{"list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}"}, packages...)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		set := map[string]bool{}
		for _, p := range strings.Fields(string(out)) {
			set[p] = true
		}
		return set
	}
	gorgonias := list("gorgonia.org/gorgonia", "gorgonia.org/tensor")
	for p := range list(".") {
		if !gorgonias[p] && !strings.HasPrefix(p, "github.com/seed1e560811/funnel/solver") {
			t.Errorf("solver imports %s, which Gorgonia does not", p)
		}
	}
}

// Of the other modules, which no program inherits, the direct dependencies are enough.
func TestTheDocumentationNamesEveryDependency(t *testing.T) {
	_, section, _ := strings.Cut(textOf(t, "../.ci/README.md"), "\n## Dependencies\n")
	section, _, _ = strings.Cut(section, "\n## ")
	named := map[string]bool{}
	for _, word := range strings.FieldsFunc(section, func(r rune) bool { return strings.ContainsRune(" \n|,;:()", r) }) {
		named[strings.TrimRight(word, ".")] = true
	}
	for _, dir := range []string{"..", "../cmd/plot-rotmnist", "../cmd/train-rotmnist/browsertest", "internal/kernel/_asm"} {
		cmd := exec.Command("go", "mod", "edit", "-json")
		cmd.Dir = filepath.FromSlash(dir)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		var mod struct {
			Require []struct {
				Path     string
				Indirect bool
			}
		}
		if err := json.Unmarshal(out, &mod); err != nil {
			t.Fatal(err)
		}
		for _, r := range mod.Require {
			ours := r.Path == "github.com/seed1e560811/funnel"
			if !named[r.Path] && !ours && (dir == ".." || !r.Indirect) {
				t.Errorf("go.mod of %s requires %s, which .ci/README.md does not name under Dependencies", dir, r.Path)
			}
		}
	}
}

// link is a link or a picture of Markdown, without the title that may follow.
var link = regexp.MustCompile(`\]\(([^)\s]+)[^)]*\)`)

// A code host shows every page beside its own directory.
func TestEveryRelativeLinkLeadsToAFile(t *testing.T) {
	pages, links := 0, 0
	err := filepath.WalkDir("..", func(page string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "results"):
			return filepath.SkipDir
		case filepath.Ext(page) != ".md":
			return nil
		}
		pages++
		for _, match := range link.FindAllStringSubmatch(outsideCode(textOf(t, filepath.ToSlash(page))), -1) {
			target, err := url.Parse(match[1])
			if err != nil {
				t.Errorf("%s links to %s: %v", page, match[1], err)
				continue
			}
			if target.Scheme != "" {
				continue // another site
			}
			links++
			file := page
			if target.Path != "" {
				file = filepath.Join(filepath.Dir(page), filepath.FromSlash(target.Path))
			}
			if _, err := os.Stat(file); err != nil || strings.HasPrefix(target.Path, "/") {
				t.Errorf("%s links to %s, which is not there", page, match[1])
			} else if target.Fragment != "" && !anchors(textOf(t, filepath.ToSlash(file)))[target.Fragment] {
				t.Errorf("%s links to %s, a heading that is not there", page, match[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if pages == 0 || links == 0 {
		t.Errorf("%d pages with %d links were found", pages, links)
	}
}

// anchors are what a link to one of the page's headings has after its #.
func anchors(page string) map[string]bool {
	all := map[string]bool{}
	for _, line := range strings.Split(outsideCode(page), "\n") {
		if title, isHeading := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); isHeading && strings.HasPrefix(line, "#") {
			all[punctuation.ReplaceAllString(strings.ReplaceAll(strings.ToLower(title), " ", "-"), "")] = true
		}
	}
	return all
}

var punctuation = regexp.MustCompile(`[^\p{L}\p{N}_-]`)

// outsideCode is the page without its fenced blocks, where brackets are Go's.
func outsideCode(page string) string {
	parts := strings.Split(page, "\n```")
	var text []string
	for i := 0; i < len(parts); i += 2 {
		text = append(text, parts[i])
	}
	return strings.Join(text, "\n")
}
