package admission_test

import (
	"testing"
	"testing/synctest"
	"time"

	"order-processing-service/internal/interfaces/httpapi/admission"
)

// serve has so many be served in a second, for some time.
func serve(p *admission.Pace, perSecond int, d time.Duration) {
	for ended := time.Now().Add(d); time.Now().Before(ended); {
		p.Serve()
		<-time.After(time.Second / time.Duration(perSecond))
	}
}

// One comes again for each ten that are served.
func TestPace(t *testing.T) {
	for _, perSecond := range []int{50, 1000} {
		synctest.Test(t, func(t *testing.T) {
			p := &admission.Pace{Served: 10}
			go serve(p, perSecond, 20*time.Second)
			came := 0
			for ended := time.Now().Add(20 * time.Second); time.Now().Before(ended); {
				came += p.Come()
				<-time.After(10 * time.Millisecond)
			}
			if want := 20 * perSecond / 10; came < want*9/10 || came > want+1 {
				t.Errorf("%d came again in 20 s, want %d", came, want)
			}
			if d, want := p.Wait(10), min(100*time.Second/time.Duration(perSecond), 10*time.Second); d < want*9/10 || d > want*11/10 {
				t.Errorf("ten are expected to have come in %v, want %v", d, want)
			}
		})
	}
}

// What was served while nobody was kept does not have many come at once.
func TestPaceForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &admission.Pace{Served: 10}
		p.Come()
		serve(p, 1000, time.Minute)
		if n := p.Come(); n > 1 {
			t.Errorf("%d come at once", n)
		}
		if d := p.Wait(1); d != 0 {
			t.Errorf("nothing is known of late, but it takes %v", d)
		}
		serve(p, 1000, 200*time.Millisecond)
		if d := p.Wait(1); d < 9*time.Millisecond || d > 11*time.Millisecond {
			t.Errorf("one comes in %v", d)
		}
	})
}

func TestPaceWhenNobodyIsServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &admission.Pace{Served: 10}
		if d := p.Wait(1); d != 0 {
			t.Errorf("at first nothing is known, but it takes %v", d)
		}
		<-time.After(1000 * time.Hour)
		if n, d := p.Come(), p.Wait(2); n != 0 || d != 0 {
			t.Errorf("%d come; two are expected in %v", n, d)
		}
		<-time.After(200 * time.Millisecond)
		if n, d := p.Come(), p.Wait(2); n != 0 || d != 2*time.Second {
			t.Errorf("%d come; two are expected in %v", n, d)
		}
		came := 0
		for range 1000 {
			<-time.After(10 * time.Millisecond)
			came += p.Come()
		}
		if came != 10 {
			t.Errorf("%d come in ten seconds", came)
		}
	})
}
