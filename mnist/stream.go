package mnist

import (
	"fmt"
	"math/rand/v2"
	"sync"
)

// Batch is what one training step sees.
type Batch struct {
	Step   int       // counted from 0
	Epoch  int       // the pass over the data set, counted from 0
	Index  int       // of the batch in its epoch, counted from 0
	Angle  float64   // degrees counter-clockwise
	Images []float32 // rotated, from 0 to 1, Pixels for each label
	Labels []byte
}

// Stream has the batches of a schedule, in order. Each is drawn without
// replacement from the data set and rotated; the data set is shuffled anew when
// less than a batch is left. Everything follows from the seed.
//
// Batches are prepared ahead in a goroutine, which begins with the first Next
// and ends with the schedule or with Close.
type Stream struct {
	data       *Dataset
	schedule   Schedule
	batch      int
	seed       uint64
	first      int // step
	rank, size int // this rank, and the number of ranks
	started    bool

	ready, free chan *Batch
	current     *Batch
	stop        chan struct{}
	stopping    sync.Once
	stopped     sync.WaitGroup
}

// A StreamOption is an option of NewStream.
type StreamOption func(*Stream)

// From makes the batch of a step, counted from 0, the first that Next returns:
// the stream goes on where another one stopped. Default: 0.
func From(step int) StreamOption { return func(s *Stream) { s.first = step } }

// OfRank takes one rank's part of every batch. All ranks, counted from 0, have parts
// of the same size, which in order make up the batch. Default: rank 0 of 1, which
// has every batch whole.
func OfRank(rank, size int) StreamOption { return func(s *Stream) { s.rank, s.size = rank, size } }

// ahead is how many batches are ready, or being prepared, while one is in use.
const ahead = 3

// NewStream returns the stream of a data set, in batches of so many images. It is
// an error if the data set has fewer, or if a batch cannot be divided among the
// ranks. Close it.
func NewStream(data *Dataset, schedule Schedule, batch int, seed uint64, opts ...StreamOption) (*Stream, error) {
	s := &Stream{
		data: data, schedule: schedule, batch: batch, seed: seed, size: 1,
		ready: make(chan *Batch, ahead+1), free: make(chan *Batch, ahead+1), stop: make(chan struct{}),
	}
	for _, opt := range opts {
		opt(s)
	}
	switch {
	case batch < 1 || batch > data.Len():
		return nil, fmt.Errorf("mnist: a batch of %d images out of a data set of %d; it must be between 1 and that", batch, data.Len())
	case s.first < 0:
		return nil, fmt.Errorf("mnist: a stream from step %d; steps are counted from 0", s.first)
	case s.size < 1 || s.rank < 0 || s.rank >= s.size:
		return nil, fmt.Errorf("mnist: rank %d of %d; ranks are counted from 0", s.rank, s.size)
	case batch%s.size != 0:
		return nil, fmt.Errorf("mnist: a batch of %d images cannot be divided among %d ranks; it must be a multiple of that", batch, s.size)
	}
	for range ahead + 1 {
		s.free <- &Batch{Images: make([]float32, batch/s.size*Pixels), Labels: make([]byte, batch/s.size)}
	}
	return s, nil
}

// Next returns the next batch, nil after the last one or after Close. The
// batch is the caller's until the next call.
func (s *Stream) Next() *Batch {
	if !s.started {
		s.started = true
		s.stopped.Add(1)
		go s.produce()
	}
	if s.current != nil {
		s.free <- s.current
	}
	s.current = <-s.ready
	return s.current
}

// Close ends the stream and its goroutine, at whatever batch they are.
func (s *Stream) Close() {
	s.stopping.Do(func() { close(s.stop) })
	if !s.started {
		s.started = true
		close(s.ready)
	}
	s.stopped.Wait()
	for range s.ready { // the batches that were prepared ahead
	}
}

func (s *Stream) produce() {
	defer s.stopped.Done()
	defer close(s.ready)
	order := make([]int, s.data.Len())
	perEpoch := len(order) / s.batch
	rotation := NewRotation(0)
	epoch := -1
	for step := s.first; step < s.schedule.Steps(); step++ {
		var b *Batch
		select {
		case b = <-s.free:
		case <-s.stop:
			return
		}
		b.Step, b.Epoch, b.Index, b.Angle = step, step/perEpoch, step%perEpoch, s.schedule.Angle(step)
		if b.Epoch != epoch {
			epoch = b.Epoch
			s.shuffle(order, epoch)
		}
		rotation.Set(b.Angle)
		part := s.batch / s.size
		for k, i := range order[b.Index*s.batch+s.rank*part:][:part] {
			b.Labels[k] = s.data.Labels[i]
			rotation.Apply(b.Images[k*Pixels:][:Pixels], s.data.Image(i))
		}
		s.ready <- b // never blocks: it has room for all batches
	}
}

// shuffle puts the images into the order of an epoch, which depends on nothing but
// the seed and the epoch's number.
func (s *Stream) shuffle(order []int, epoch int) {
	for i := range order {
		order[i] = i
	}
	rand.New(rand.NewPCG(s.seed, uint64(epoch))).Shuffle(len(order), func(i, j int) {
		order[i], order[j] = order[j], order[i]
	})
}
