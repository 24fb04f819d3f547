Console.Error.WriteLine("The sensor reads nothing yet.");
return 2;
