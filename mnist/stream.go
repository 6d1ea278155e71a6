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

// Stream is the batches of a schedule, in order. Each is drawn without
// replacement from the data set, which is shuffled anew when less than a batch
// is left of it, and rotated. Everything follows from the seed.
//
// Batches are prepared ahead in a goroutine, which begins with the first Next
// and ends with the schedule or with Close.
type Stream struct {
	data     *Dataset
	schedule Schedule
	batch    int
	seed     uint64
	first    int // step
	from, to int // the images of a batch that are prepared
	started  bool

	ready, free chan *Batch
	current     *Batch
	stop        chan struct{}
	stopping    sync.Once
	stopped     sync.WaitGroup
}

// ahead is how many batches are ready, or being made, while one is in use.
const ahead = 3

// NewStream returns the stream of a data set. Close it.
func NewStream(data *Dataset, schedule Schedule, batch int, seed uint64) (*Stream, error) {
	if batch < 1 || batch > data.Len() {
		return nil, fmt.Errorf("mnist: a batch of %d images out of a data set of %d; it must be between 1 and that", batch, data.Len())
	}
	s := &Stream{
		data: data, schedule: schedule, batch: batch, seed: seed, to: batch,
		ready: make(chan *Batch, ahead+1), free: make(chan *Batch, ahead+1), stop: make(chan struct{}),
	}
	for range ahead + 1 {
		s.free <- &Batch{Images: make([]float32, batch*Pixels), Labels: make([]byte, batch)}
	}
	return s, nil
}

// SkipTo makes the batch of a step, counted from 0, the first that Next
// returns. It is for a stream of which Next has returned none yet.
func (s *Stream) SkipTo(step int) { s.first = step }

// Share makes of every batch the share of one of several ranks, which together
// have all of it: as many images each, in the order of the ranks, counted from
// 0. It is for a stream of which Next has returned none yet.
func (s *Stream) Share(rank, size int) error {
	if s.batch%size != 0 {
		return fmt.Errorf("mnist: a batch of %d images cannot be divided among %d ranks; it must be a multiple of that", s.batch, size)
	}
	s.from, s.to = rank*s.batch/size, (rank+1)*s.batch/size
	return nil
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

// Close ends the stream and its goroutine, wherever it is.
func (s *Stream) Close() {
	s.stopping.Do(func() { close(s.stop) })
	if !s.started {
		s.started = true
		close(s.ready)
	}
	s.stopped.Wait()
	for range s.ready { // what was made ahead
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
		share := order[b.Index*s.batch:][s.from:s.to]
		b.Images, b.Labels = b.Images[:len(share)*Pixels], b.Labels[:len(share)]
		for k, i := range share {
			b.Labels[k] = s.data.Labels[i]
			rotation.Apply(b.Images[k*Pixels:][:Pixels], s.data.Image(i))
		}
		s.ready <- b // has room for every batch there is
	}
}

// shuffle makes the order of an epoch, which depends on nothing but the seed
// and the epoch's number.
func (s *Stream) shuffle(order []int, epoch int) {
	for i := range order {
		order[i] = i
	}
	rand.New(rand.NewPCG(s.seed, uint64(epoch))).Shuffle(len(order), func(i, j int) {
		order[i], order[j] = order[j], order[i]
	})
}
