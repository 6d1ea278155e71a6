package live

import (
	"bytes"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/report"
)

const (
	patience  = 10 * time.Second // time for a client to take what is written
	heartbeat = 15 * time.Second // between SSE comments, which find clients that are gone
)

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", s.page)
	mux.HandleFunc("/events", s.events)
	return s.guard(mux)
}

// guard serves only requests for a name that this server has. That stops DNS
// rebinding: a page from elsewhere whose name was made to point to this machine
// sends its own name as the Host.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", report.LivePolicy()+"; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch {
		case !s.isHost(r.Host):
			http.Error(w, "This server is not known by that name; open "+s.URL(), http.StatusForbidden)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "There is nothing to do but read.", http.StatusMethodNotAllowed)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// isHost tells whether a Host header names this server: localhost, a loopback
// address, or the name it was asked to serve. DNS cannot make an IP address mean
// another machine, so any address is accepted where other machines are served.
func (s *Server) isHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback() || !s.local()
	}
	return strings.EqualFold(host, "localhost") || strings.EqualFold(host, s.host)
}

func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	var b bytes.Buffer
	if err := report.Live(&b); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(b.Bytes())
}

// events sends messages until the last one.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	if r.Method == http.MethodHead {
		return
	}
	messages := s.clients.join()
	if messages == nil {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Retry-After", "10")
		http.Error(w, "Too many are reading along.", http.StatusServiceUnavailable)
		return
	}
	defer s.clients.leave(messages)
	rc := http.NewResponseController(w)
	rc.SetReadDeadline(time.Time{}) // a client listens for as long as it likes
	write := func(text []byte) bool {
		rc.SetWriteDeadline(time.Now().Add(patience))
		_, err := w.Write(text)
		return err == nil && rc.Flush() == nil
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	if !write([]byte(": welcome\n\n")) {
		return
	}
	for {
		select {
		case m := <-messages:
			if !write(m.text) || m.last {
				return
			}
		case <-beat.C:
			if !write([]byte(": still here\n\n")) {
				return
			}
		case <-r.Context().Done():
			return
		case <-s.stop:
			select {
			case m := <-messages: // perhaps the last
				write(m.text)
			default:
			}
			return
		}
	}
}
