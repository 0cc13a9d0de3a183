package deploy_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/test/deploy"
)

// The program is told how much memory it has, so that it gives some back before it is killed for it.
func TestFilesSayHowMuchMemory(t *testing.T) {
	for _, name := range overlays {
		for _, d := range ours(build(t, "overlays/"+name)) {
			c := d.Spec.Template.Spec.Containers[0]
			isBelow(t, name+"/"+d.Name, valueOf(c, "GOMEMLIMIT"), c.Resources.Limits.Memory().Value()>>20)
		}
	}

	fargate, want := readTemplate(t, "fargate"), []any{"Limits", map[string]any{"Ref": "Memory"}, "Go"}
	for _, task := range []string{"ServerTask", "WorkerTask"} {
		properties := fargate.Resources[task].Properties
		containers, _ := properties["ContainerDefinitions"].([]any)
		variables, _ := deploy.Find(containers[0], "Environment").([]any)
		var limit any
		for _, v := range variables {
			if deploy.Find(v, "Name") == "GOMEMLIMIT" {
				limit = deploy.Find(v, "Value", "Fn::FindInMap")
			}
		}
		if diff := cmp.Diff(want, limit); diff != "" || !cmp.Equal(properties["Memory"], want[1]) {
			t.Errorf("%s has %v of memory, and is told another limit: %s", task, properties["Memory"], diff)
		}
	}
	sizes, _ := fargate.Parameters["Memory"]["AllowedValues"].([]any)
	if len(sizes) == 0 {
		t.Error("Memory may be anything, which no mapping can tell the program of")
	}
	for _, size := range sizes {
		text, _ := size.(string)
		memory, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		limit, _ := deploy.Find(fargate.Mappings, "Limits", text, "Go").(string)
		isBelow(t, "fargate with Memory="+text, limit, memory)
	}
}

// isBelow fails unless a limit such as 450MiB leaves between a tenth and a quarter of the memory, in MiB, to what the limit does not count.
func isBelow(t *testing.T, where, limit string, memory int64) {
	t.Helper()
	number, isMiB := strings.CutSuffix(limit, "MiB")
	size, err := strconv.ParseInt(number, 10, 64)
	if err != nil || !isMiB || size*10 > memory*9 || size*4 < memory*3 {
		t.Errorf("%s has %d MiB, and the program is told GOMEMLIMIT=%q (%v)", where, memory, limit, err)
	}
}
