module tidings.example.org/go

go 1.19
