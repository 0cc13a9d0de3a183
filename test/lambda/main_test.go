package lambda_test

import (
	"testing"

	"order-processing-service/test/lambda"
)

func TestMain(m *testing.M) { lambda.Main(m) }
