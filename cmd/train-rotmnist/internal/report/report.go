// Package report writes a page with charts of what runs did and learned. It is one
// self-contained file, or the page of a server that updates it while they go on.
package report

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/history"
)

// The sources of the page. make uplot fetches the library that draws the charts.
var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
	//go:embed script
	script embed.FS
	//go:embed uplot/uPlot.iife.min.js
	uplotJS string
	//go:embed uplot/uPlot.min.css
	uplotCSS string
	//go:embed uplot/LICENSE
	uplotLicense string
)

// The page contains a copy of uPlot, so it contains uPlot's licence.
var (
	scripts = []string{"/*!\n" + uplotLicense + "*/\n" + uplotJS, pageJS()}
	styles  = []string{uplotCSS, pageCSS}
	page    = template.Must(template.New("page").Parse(pageHTML))
)

// parts are the files of the page's own script, in order.
var parts = []string{"text", "series", "lines", "axes", "chart", "cursor", "histogram", "tables", "downloads", "page"}

// pageJS returns the script as one function, so that its names are not global.
func pageJS() string {
	var b strings.Builder
	b.WriteString("\"use strict\";\n(() => {\n")
	for _, part := range parts {
		text, err := script.ReadFile("script/" + part + ".js")
		if err != nil {
			panic(err) // it is embedded
		}
		b.Write(text)
	}
	b.WriteString("})();\n")
	return b.String()
}

// Policy returns the Content-Security-Policy of the page: only its own scripts and
// styles, known by their digests, and nothing from outside.
func Policy() string {
	return "default-src 'none'; script-src" + sums(scripts) + "; style-src" + sums(styles) +
		"; img-src data:; base-uri 'none'; form-action 'none'"
}

// LivePolicy returns the policy of the page that Live writes, which may also connect
// to its server.
func LivePolicy() string { return Policy() + "; connect-src 'self'" }

func sums(texts []string) string {
	var b strings.Builder
	for _, t := range texts {
		sum := sha256.Sum256([]byte(t))
		fmt.Fprintf(&b, " 'sha256-%s'", base64.StdEncoding.EncodeToString(sum[:]))
	}
	return b.String()
}

// Write writes the page of runs that have ended.
func (r *Report) Write(w io.Writer, h *history.History, rows []results.Row, p Progress) error {
	data, err := r.Data(h, rows, p)
	if err != nil {
		return err
	}
	return write(w, Policy(), data)
}

// Live writes a page without data. It receives them as server-sent events from
// "events", each with what Data returns.
func Live(w io.Writer) error { return write(w, LivePolicy(), nil) }

func write(w io.Writer, policy string, data []byte) error {
	var b bytes.Buffer
	err := page.Execute(&b, map[string]any{
		"Policy": policy,
		"Data":   template.JS(data),
		"Live":   data == nil,
		"Style":  asTemplate[template.CSS](styles),
		"Script": asTemplate[template.JS](scripts),
	})
	if err != nil {
		return err
	}
	_, err = b.WriteTo(w)
	return err
}

// asTemplate marks texts that the template must not escape.
func asTemplate[T ~string](texts []string) []T {
	var ts []T
	for _, t := range texts {
		ts = append(ts, T(t))
	}
	return ts
}
