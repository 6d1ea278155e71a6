package solver_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const stranger = `package main

import (
	"fmt"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
)

func main() {
	var s gorgonia.Solver = solver.NewFunnel(gorgonia.WithLearnRate(0.1))
	fmt.Println(s.Step(nil))
}
`

// Gorgonia alone panics at start on current Go; a program that imports solver
// must not, in a module that knows nothing of the cure.
func TestAProgramInAFreshModuleStarts(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"go.mod":  "module stranger\n\ngo 1.24\n\nrequire github.com/seed1e560811/funnel v0.0.0\n\nreplace github.com/seed1e560811/funnel => " + root + "\n",
		"go.sum":  string(sums),
		"main.go": stranger,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "run", "-mod=mod", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.HasSuffix(string(out), "<nil>\n") {
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
func TestTheReadmeNamesEveryDependency(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(readme), "\n## Dependencies\n")
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
				t.Errorf("go.mod of %s requires %s, which README.md does not name under Dependencies", dir, r.Path)
			}
		}
	}
}
