package live

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/history"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/report"
	"github.com/seed1e560811/funnel/mnist"
	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
)

const steps = 1000

// serve starts a server for a run of so many steps, which makes snapshots at
// most that often.
func serve(t testing.TB, every time.Duration) *Server {
	t.Helper()
	schedule, err := mnist.Jumps([]float64{0, 60}, steps/2)
	if err != nil {
		t.Fatal(err)
	}
	s, err := start("127.0.0.1:0", report.New(&report.Description{Schedule: schedule, Digits: mnist.Synthetic(20, 1)}), steps, every)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// training is a run without a network.
type training struct {
	server  *Server
	history history.History
	made    int
	asked   int // how often for the table
}

func (r *training) step() {
	r.history.Add([]*experiment.Step{{Solver: "adam", Number: r.made, Accuracy: 0.5, Loss: 1}})
	r.made++
	r.server.Observe(r.made, &r.history, func() []results.Row { r.asked++; return nil })
}

// until trains until something is so.
func (r *training) until(t *testing.T, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never was")
		}
		r.step()
	}
}

// snapshotOf is what a client reads of a message.
type snapshotOf struct {
	Step    int
	Left    float64
	State   string
	Solvers []struct{ Accuracy struct{ Mean []float64 } }
}

// client reads messages, until the server ends.
func client(t *testing.T, s *Server) <-chan snapshotOf {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	request, _ := http.NewRequestWithContext(ctx, "GET", s.URL()+"events", nil)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != 200 || response.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s, %s", response.Status, response.Header)
	}
	read := make(chan snapshotOf, 10_000)
	go func() {
		defer close(read)
		defer response.Body.Close()
		lines := bufio.NewScanner(response.Body)
		lines.Buffer(nil, 10<<20)
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				var m snapshotOf
				if err := json.Unmarshal([]byte(data), &m); err != nil {
					t.Error(err)
				}
				read <- m
			}
		}
	}()
	return read
}

// last is the last of the messages.
func last(read <-chan snapshotOf) (m snapshotOf) {
	for m = range read {
	}
	return m
}

func TestAClientReadsAlongUntilTheEnd(t *testing.T) {
	s := serve(t, time.Millisecond)
	r := &training{server: s}
	read := client(t, s)
	r.until(t, func() bool { return len(read) >= 3 })
	first, second := <-read, <-read
	if first.State != "running" || first.Step < 1 || second.Step <= first.Step || len(first.Solvers[0].Accuracy.Mean) != first.Step {
		t.Errorf("%+v, then of step %d", first, second.Step)
	}
	for r.made < steps {
		r.step()
	}
	s.Finish(r.made, &r.history, nil)
	s.Close()
	if m := last(read); m.State != "finished" || m.Step != r.made {
		t.Errorf("the last message: %s at step %d", m.State, m.Step)
	}
}

func TestWhoComesAfterTheEndSeesIt(t *testing.T) {
	s := serve(t, time.Hour)
	r := &training{server: s}
	r.step()
	s.Finish(1, &r.history, nil)
	if m := last(client(t, s)); m.State != "stopped" || m.Step != 1 {
		t.Errorf("%+v", m)
	}
}

func TestNothingIsCopiedWhenNobodyReads(t *testing.T) {
	r := &training{server: serve(t, time.Millisecond)}
	for range 200 {
		r.step()
		time.Sleep(100 * time.Microsecond)
	}
	if r.asked != 0 {
		t.Errorf("%d snapshots", r.asked)
	}
}

// Fifty clients cost the training what one does, and it waits for none: those
// here never read.
func TestClientsThatDoNotReadDoNotHoldUpTheTraining(t *testing.T) {
	s := serve(t, time.Millisecond)
	r := &training{server: s}
	for range 20_000 { // a message of some 10 kB, which fills no connection at once
		r.history.Add([]*experiment.Step{{Solver: "adam", Accuracy: 0.123, Loss: 1}})
	}
	for range 50 {
		connection, err := net.Dial("tcp", s.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer connection.Close()
		fmt.Fprintf(connection, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
	}
	r.until(t, func() bool { return s.clients.count() == 50 })
	before := r.asked
	r.until(t, func() bool { return r.asked >= before+300 }) // would wait for ever
	s.clients.mu.Lock()
	defer s.clients.mu.Unlock()
	for channel := range s.clients.channels {
		if cap(channel) != 1 {
			t.Errorf("a client's buffer has room for %d", cap(channel))
		}
	}
}

func TestAClientThatLagsGetsTheNewest(t *testing.T) {
	c := clients{channels: map[chan message]bool{}, joined: make(chan struct{}, 1)}
	channel := c.join()
	for _, text := range []string{"a", "b", "c"} {
		c.send(message{text: []byte(text)})
	}
	if m := <-channel; string(m.text) != "c" || len(channel) != 0 {
		t.Errorf("%s", m.text)
	}
	if m := <-c.join(); string(m.text) != "c" {
		t.Errorf("who joins gets %s", m.text)
	}
}

func TestThereCanBeTooManyClients(t *testing.T) {
	s := serve(t, time.Hour)
	for range mostClients {
		s.clients.join()
	}
	response, err := http.Get(s.URL() + "events")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%s", response.Status)
	}
}

// ask makes a request of a method, with this Host.
func ask(t *testing.T, s *Server, method, path, host string) *http.Response {
	t.Helper()
	request, err := http.NewRequest(method, s.URL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

func TestOnlyWhoKnowsItsNameMayRead(t *testing.T) {
	s := serve(t, time.Hour)
	for host, want := range map[string]int{
		"localhost:1234": 200, "LOCALHOST": 200, "127.0.0.1:80": 200, "127.9.9.9": 200, "[::1]:8080": 200, "[::1]": 200,
		"evil.example": 403, "evil.example:80": 403, "localhost.evil.example": 403, "192.168.1.7": 403, "127.0.0.1.evil.example": 403,
	} {
		for _, path := range []string{"", "events"} {
			if got := ask(t, s, "HEAD", path, host).StatusCode; got != want {
				t.Errorf("/%s of %s: %d, want %d", path, host, got, want)
			}
		}
	}
}

func TestAServerForOthersIsReadByItsNumberAndTheNameItWasGiven(t *testing.T) {
	s := serve(t, time.Hour)
	s.listener = &elsewhere{s.listener}
	s.host = "lab.example"
	for host, want := range map[string]bool{"10.0.0.7:8080": true, "lab.example": true, "[fe80::1]:1": true, "localhost": true, "evil.example": false, "": false} {
		if s.isHost(host) != want {
			t.Errorf("%q: %v", host, !want)
		}
	}
	if !strings.HasPrefix(s.Warning(), "http://lab.example:80/ can be read by everybody") {
		t.Errorf("the warning is %q", s.Warning())
	}
}

// elsewhere is a listener that others reach.
type elsewhere struct{ net.Listener }

func (elsewhere) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4zero, Port: 80} }

func TestNothingCanBeDoneButRead(t *testing.T) {
	s := serve(t, time.Hour)
	for method, want := range map[string]int{"GET": 200, "HEAD": 200, "POST": 405, "PUT": 405, "DELETE": 405, "OPTIONS": 405} {
		r := ask(t, s, method, "", "localhost")
		if r.StatusCode != want {
			t.Errorf("%s: %d, want %d", method, r.StatusCode, want)
		}
		if r.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: pages from elsewhere may read", method)
		}
		policy := r.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; ") || !strings.HasSuffix(policy, "connect-src 'self'; frame-ancestors 'none'") {
			t.Errorf("%s: the policy is %q", method, policy)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q", method, name, got)
			}
		}
	}
	if r := ask(t, s, "GET", "etc/passwd", "localhost"); r.StatusCode != 404 {
		t.Errorf("%s", r.Status)
	}
}

func TestWithoutAHostOnlyThisMachineIsServed(t *testing.T) {
	for address, want := range map[string]string{
		"8080": "127.0.0.1:8080", ":8080": "127.0.0.1:8080", "localhost:1": "localhost:1", "0.0.0.0:80": "0.0.0.0:80", "[::1]:80": "[::1]:80",
	} {
		host, port, err := split(address)
		if err != nil || net.JoinHostPort(host, port) != want {
			t.Errorf("%s: %s:%s, %v", address, host, port, err)
		}
	}
	for _, address := range []string{"", "localhost:", "a:b:c", "[::1"} {
		if _, _, err := split(address); err == nil {
			t.Errorf("%q is taken", address)
		}
	}
	if w := serve(t, time.Hour).Warning(); w != "" {
		t.Errorf("of this machine it warns: %s", w)
	}
}

func TestAnAddressThatIsTakenIsAnErrorOfOneSentence(t *testing.T) {
	s := serve(t, time.Hour)
	_, err := New(s.listener.Addr().String(), s.report, steps)
	if err == nil || strings.Contains(err.Error(), "listen tcp") {
		t.Errorf("%v", err)
	}
}

func TestAServerThatIsClosedLeavesNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, finished := range []bool{false, true} {
		s := serve(t, time.Millisecond)
		r := &training{server: s}
		read := []<-chan snapshotOf{client(t, s), client(t, s)}
		r.until(t, func() bool { return len(read[0]) > 0 && len(read[1]) > 0 })
		if finished {
			s.Finish(r.made, &r.history, nil)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		s.Close()
		s.Finish(r.made, &r.history, nil) // too late, and does no harm
		last(read[0])
		last(read[1])
		r.step()
	}
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			all := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, all[:runtime.Stack(all, true)])
		}
	}
}

// How much slower two solvers train the bundled network with 50 clients than
// with none, who are served by the same two cores: the median of five rounds in
// which both are timed by turns.
func BenchmarkFiftyClients(b *testing.B) {
	data := mnist.Synthetic(5000, 1)
	for b.Loop() {
		var ratios []float64
		for range 5 {
			alone, watched := trainFor(b, data, 0), trainFor(b, data, 50)
			ratios = append(ratios, watched.Seconds()/alone.Seconds())
		}
		slices.Sort(ratios)
		b.ReportMetric(ratios[2], "with/without")
	}
}

// trainFor trains while clients read along, and returns how long it took.
func trainFor(b *testing.B, data *mnist.Dataset, n int) time.Duration {
	const steps = 400
	schedule, err := mnist.Jumps([]float64{0}, steps)
	if err != nil {
		b.Fatal(err)
	}
	c := experiment.New(&experiment.Setup{Train: data, Test: data, Schedule: schedule, Batch: 128, NewNetwork: experiment.MLP([]int{128, 64}), Seed: 1})
	defer c.Close()
	for name, s := range map[string]gorgonia.Solver{"funnel": solver.NewFunnel(), "funneladam": solver.NewFunnelAdam()} {
		if _, err := c.Add(name, s); err != nil {
			b.Fatal(err)
		}
	}
	s := serve(b, time.Second)
	defer s.Close()
	for range n {
		r, err := http.Get(s.URL() + "events")
		if err != nil {
			b.Fatal(err)
		}
		defer r.Body.Close()
		go io.Copy(io.Discard, r.Body)
	}
	h := new(history.History)
	start := time.Now()
	err = c.Train(context.Background(), func(steps []*experiment.Step) error {
		h.Add(steps)
		s.Observe(steps[0].Number+1, h, func() []results.Row { return nil })
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}
