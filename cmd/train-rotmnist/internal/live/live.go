// Package live serves the report while the runs go on, and updates it with
// server-sent events. Without a host it listens on this machine only. It is
// read-only.
package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/history"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/report"
)

// Server serves one comparison's page.
//
// Training never waits for it. While there are clients, a goroutine asks for a
// snapshot at most once a second. At the next step the training side hands it a
// copy, which the goroutine encodes and sends to all clients.
type Server struct {
	report   *report.Report
	steps    int
	listener net.Listener
	host     string // as asked for, or this machine's name
	http     *http.Server
	every    time.Duration // least time between snapshots

	wanted atomic.Bool
	handed chan snapshot // has room for one

	begun     time.Time // when the first step was observed; used by the training side only
	beginning int

	clients clients
	stop    chan struct{} // closed by Close
	stopped sync.Once
	spread  chan struct{} // closed when no more snapshots will be sent
}

// snapshot is what the training side hands over.
type snapshot struct {
	history  *history.History
	rows     []results.Row
	progress report.Progress
}

// New listens at an address, host:port; without a host, or as a port alone, on
// this machine only. Call Observe after every step, and Close.
func New(address string, r *report.Report, steps int) (*Server, error) {
	return start(address, r, steps, time.Second)
}

func start(address string, r *report.Report, steps int, every time.Duration) (*Server, error) {
	host, port, err := split(address)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, cause(err)
	}
	if name, err := os.Hostname(); err == nil && listener.Addr().(*net.TCPAddr).IP.IsUnspecified() {
		host = name // browsers cannot open the wildcard address
	}
	s := &Server{
		report: r, steps: steps, listener: listener, host: host, every: every,
		handed: make(chan snapshot, 1), stop: make(chan struct{}), spread: make(chan struct{}),
		clients: clients{joined: make(chan struct{}, 1), channels: map[chan message]bool{}},
	}
	s.http = &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      patience,
		IdleTimeout:       30 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          log.New(io.Discard, "", 0), // errors of clients are not errors of the run
	}
	go s.inform()
	go s.http.Serve(listener)
	return s, nil
}

// CheckAddress returns an error for a bad address, without listening there.
func CheckAddress(address string) error {
	_, port, err := split(address)
	if err == nil {
		if _, err = net.LookupPort("tcp", port); err != nil {
			err = badAddress(address)
		}
	}
	return err
}

func badAddress(address string) error {
	return fmt.Errorf("%q is not an address; write a port, as in 8080, or host:port", address)
}

// split is net.SplitHostPort for addresses that may lack a host.
func split(address string) (host, port string, err error) {
	host, port, err = net.SplitHostPort(address)
	if err != nil {
		host, port, err = net.SplitHostPort(":" + address)
	}
	if err != nil || port == "" {
		return "", "", badAddress(address)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return host, port, nil
}

// cause returns a network error without what the caller's message has already.
func cause(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

// URL returns the address of the page.
func (s *Server) URL() string {
	_, port, _ := net.SplitHostPort(s.listener.Addr().String())
	return "http://" + net.JoinHostPort(s.host, port) + "/"
}

// Warning says who else can see the page; empty if nobody can.
func (s *Server) Warning() string {
	if s.local() {
		return ""
	}
	return fmt.Sprintf("%s can be read by everybody who reaches this machine: the runs, the command line, and no password", s.URL())
}

// local tells whether only this machine is served.
func (s *Server) local() bool { return s.listener.Addr().(*net.TCPAddr).IP.IsLoopback() }

// Observe must be called after every step, with the number of steps so far. It takes
// time only when a snapshot is wanted: then it calls rows and copies the history.
func (s *Server) Observe(step int, h *history.History, rows func() []results.Row) {
	if s.begun.IsZero() {
		s.begun, s.beginning = time.Now(), step
	}
	if !s.wanted.CompareAndSwap(true, false) {
		return
	}
	select {
	case s.handed <- snapshot{h.Clone(), rows(), report.Progress{Step: step, Left: s.left(step), State: report.Running}}:
	default: // the previous one was not taken yet
	}
}

// left estimates how long the remaining steps will take; negative if unknown.
func (s *Server) left(step int) time.Duration {
	made := step - s.beginning
	if made == 0 {
		return -time.Second
	}
	return time.Duration(float64(time.Since(s.begun)) / float64(made) * float64(s.steps-step))
}

// Finish must be called when there are no more steps. It waits until the last
// snapshot has gone to the clients. From then on the page shows the final results.
func (s *Server) Finish(step int, h *history.History, rows []results.Row) {
	state := report.Finished
	if step < s.steps {
		state = report.Stopped
	}
	s.wanted.Store(false)
	select {
	case <-s.handed:
	default:
	}
	select {
	case s.handed <- snapshot{h, rows, report.Progress{Step: step, State: state}}:
		<-s.spread
	case <-s.spread: // Close was called
	}
}

// Close ends the server. Clients that are reading the last snapshot have two
// seconds to finish.
func (s *Server) Close() error {
	s.stopped.Do(func() { close(s.stop) })
	<-s.spread
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		return s.http.Close()
	}
	return nil
}

// inform asks for snapshots while there are clients, and sends them.
func (s *Server) inform() {
	defer close(s.spread)
	pause := time.NewTimer(s.every)
	defer pause.Stop()
	var sent time.Time
	for {
		var joined chan struct{} // nil while there are clients, and snapshots follow the clock
		if s.clients.count() == 0 {
			joined = s.clients.joined
		}
		select {
		case <-s.stop:
			return
		case <-joined:
			s.wanted.Store(time.Since(sent) >= s.every)
		case <-pause.C:
			s.wanted.Store(joined == nil)
			pause.Reset(s.every)
		case given := <-s.handed:
			if m, err := s.message(given); err == nil {
				s.clients.send(m)
			}
			if given.progress.State != report.Running {
				return
			}
			sent = time.Now()
			pause.Reset(s.every)
		}
	}
}

// message encodes a snapshot as a server-sent event.
func (s *Server) message(given snapshot) (message, error) {
	data, err := s.report.Data(given.history, given.rows, given.progress)
	if err != nil {
		return message{}, err
	}
	text := append(append([]byte("retry: 2000\ndata: "), data...), "\n\n"...)
	return message{text, given.progress.State != report.Running}, nil
}
