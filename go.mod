module order-processing-service

go 1.26.0
