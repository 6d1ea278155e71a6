package solver

import (
	"reflect"
	"testing"
)

// A hyperparameter that is added and not saved would be lost in silence.
func TestARecordHasEveryHyperparameter(t *testing.T) {
	var h hyperparameters
	saved := map[uintptr]string{}
	for name, x := range h.named() {
		saved[reflect.ValueOf(x).Pointer()] = name
	}
	v := reflect.ValueOf(&h).Elem()
	for i := range v.NumField() {
		if saved[v.Field(i).Addr().Pointer()] == "" {
			t.Errorf("%s is not saved", v.Type().Field(i).Name)
		}
	}
	if len(saved) != v.NumField() {
		t.Errorf("%d are saved, and there are %d", len(saved), v.NumField())
	}
}
