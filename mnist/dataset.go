package mnist

// The dimensions of MNIST, which every Dataset has.
const (
	Side    = 28          // pixels along an edge of an image
	Pixels  = Side * Side // pixels of an image
	Classes = 10          // labels are 0 to Classes-1
)

// Dataset is a set of labelled images: 8-bit grey, 0 background, row by row.
type Dataset struct {
	Images []byte // Len()*Pixels bytes, image after image
	Labels []byte // Len() bytes, each below Classes
}

// Len returns the number of labelled images.
func (d *Dataset) Len() int { return len(d.Labels) }

// Image returns the pixels of image i. They are the dataset's own, not a copy.
func (d *Dataset) Image(i int) []byte {
	return d.Images[i*Pixels : (i+1)*Pixels : (i+1)*Pixels]
}
