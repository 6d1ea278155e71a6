package live

import "sync"

// message is a snapshot for all clients.
type message struct {
	text []byte
	last bool
}

// clients are the browsers that receive messages. Each has a channel with room for
// one message, which a newer one replaces, so a slow client gets the newest.
type clients struct {
	mu       sync.Mutex
	channels map[chan message]bool
	newest   message
	joined   chan struct{} // receives when there is a new client
}

// mostClients is the greatest number of clients at a time.
const mostClients = 200

// join returns a channel with the newest message, if there is one; nil if there
// are too many clients.
func (c *clients) join() chan message {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.channels) == mostClients {
		return nil
	}
	channel := make(chan message, 1)
	if c.newest.text != nil {
		channel <- c.newest
	}
	c.channels[channel] = true
	select {
	case c.joined <- struct{}{}:
	default:
	}
	return channel
}

func (c *clients) leave(channel chan message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.channels, channel)
}

func (c *clients) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.channels)
}

func (c *clients) send(m message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.newest = m
	for channel := range c.channels {
		select {
		case <-channel:
		default:
		}
		channel <- m // nobody else sends
	}
}
